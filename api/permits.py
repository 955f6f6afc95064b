"""What operations ask of their caller: every route declares one of these, or that it is open to
anyone.

`May…` asks for a permission of the token's role; `Acts…` also that the account is still there, for
whatever is written down under a name.
"""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from api.auth import Principal
from api.dependencies import CallerDep, ServicesDep
from api.errors import forbidden, unauthorised
from domain.permissions import Permission
from schema.queries import people

# What the OpenAPI document calls an operation that asks for nothing.
ANYONE = "anyone"


class Needs:
    """Lets in whoever has a permission; 403 for everybody else."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, who: CallerDep) -> Principal:
        """Who is asking, if he may."""
        if who.role not in self.permission.roles:
            roles = " or ".join(sorted(self.permission.roles))
            raise forbidden(f"this is for the role {roles}")
        return who


class NeedsAccount(Needs):
    """Lets in whoever has a permission and an account; 401 to a token that has outlived its."""

    async def __call__(self, who: CallerDep, held: ServicesDep) -> Principal:  # type: ignore[override]
        """Who is asking, if he may and is still there."""
        await super().__call__(who)
        async with held.database.read() as session:
            if not await people.exists(session, who.user_id, who.role):
                raise unauthorised("the account is gone")
        return who


async def _anyone() -> None:
    """An operation that asks for nothing says so."""


Anyone = Depends(_anyone)


def _needs(permission: Permission) -> Any:
    return Depends(Needs(permission))


def _acts(permission: Permission) -> Any:
    return Depends(NeedsAccount(permission))


MayReadProfile = Annotated[Principal, _needs(Permission.READ_PROFILE)]
ActsOnProfile = Annotated[Principal, _acts(Permission.WRITE_PROFILE)]
ActsOnAccount = Annotated[Principal, _acts(Permission.DELETE_PROFILE)]
MayApplyAsChef = Annotated[Principal, _needs(Permission.APPLY_AS_CHEF)]
MayApplyAsDriver = Annotated[Principal, _needs(Permission.APPLY_AS_DRIVER)]
MayReadPayee = Annotated[Principal, _needs(Permission.READ_PAYEE)]
MayWritePayee = Annotated[Principal, _needs(Permission.WRITE_PAYEE)]

MayReadOrders = Annotated[Principal, _needs(Permission.READ_ORDERS)]
MayListOrders = Annotated[Principal, _needs(Permission.LIST_ORDERS)]
MayWriteOrders = Annotated[Principal, _needs(Permission.WRITE_ORDERS)]
ActsOnOrders = Annotated[Principal, _acts(Permission.WRITE_ORDERS)]
MayReadProofs = Annotated[Principal, _needs(Permission.READ_PROOFS)]
MayReadMessages = Annotated[Principal, _needs(Permission.READ_MESSAGES)]
ActsOnMessages = Annotated[Principal, _acts(Permission.WRITE_MESSAGES)]
ActsAsReviewer = Annotated[Principal, _acts(Permission.WRITE_REVIEWS)]

MayReadKitchen = Annotated[Principal, _needs(Permission.READ_KITCHEN)]
MayWriteKitchen = Annotated[Principal, _needs(Permission.WRITE_KITCHEN)]
MayCook = Annotated[Principal, _needs(Permission.COOK_ORDERS)]
MayReadMenus = Annotated[Principal, _needs(Permission.READ_MENUS)]
MayWriteMenus = Annotated[Principal, _needs(Permission.WRITE_MENUS)]
MayReadKitchenAnalytics = Annotated[Principal, _needs(Permission.READ_KITCHEN_ANALYTICS)]

MayReadDeliveries = Annotated[Principal, _needs(Permission.READ_DELIVERIES)]
MayDeliver = Annotated[Principal, _needs(Permission.WRITE_DELIVERIES)]

MayReadAllOrders = Annotated[Principal, _needs(Permission.READ_ALL_ORDERS)]
ActsAsReader = Annotated[Principal, _acts(Permission.READ_ALL_ORDERS)]
MayWriteAllOrders = Annotated[Principal, _needs(Permission.WRITE_ALL_ORDERS)]
ActsOnAllOrders = Annotated[Principal, _acts(Permission.WRITE_ALL_ORDERS)]
MayReadDispatch = Annotated[Principal, _needs(Permission.READ_DISPATCH)]
ActsOnDispatch = Annotated[Principal, _acts(Permission.WRITE_DISPATCH)]
MayReadDrivers = Annotated[Principal, _needs(Permission.READ_DRIVERS)]
ActsOnDrivers = Annotated[Principal, _acts(Permission.WRITE_DRIVERS)]
MayReadUsers = Annotated[Principal, _needs(Permission.READ_USERS)]
ActsOnUsers = Annotated[Principal, _acts(Permission.WRITE_USERS)]
MayReadChefs = Annotated[Principal, _needs(Permission.READ_CHEFS)]
ActsOnChefs = Annotated[Principal, _acts(Permission.WRITE_CHEFS)]
ActsAsModerator = Annotated[Principal, _acts(Permission.MODERATE)]
MayReadMoney = Annotated[Principal, _needs(Permission.READ_MONEY)]
ActsOnMoney = Annotated[Principal, _acts(Permission.WRITE_MONEY)]
MayReadConfig = Annotated[Principal, _needs(Permission.READ_CONFIG)]
ActsOnConfig = Annotated[Principal, _acts(Permission.WRITE_CONFIG)]
MayReadAudit = Annotated[Principal, _needs(Permission.READ_AUDIT)]
MayReadAnalytics = Annotated[Principal, _needs(Permission.READ_ANALYTICS)]


def declared(app: FastAPI) -> dict[tuple[str, str], list[str]]:
    """What each route declares that it needs, by its path and method: the names of permissions,
    ANYONE among them.
    """
    return {
        (context.path_format or "", method): sorted(set(_declared(context.dependant)))
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and context.dependant
        for method in context.methods or ()
    }


def _declared(dependant: Dependant) -> list[str]:
    found = [name for below in dependant.dependencies for name in _declared(below)]
    if isinstance(dependant.call, Needs):
        found.append(dependant.call.permission.value.name)
    elif dependant.call is _anyone:
        found.append(ANYONE)
    return found
