"""How chefs and drivers become able to be paid."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from api import onboarding
from api.auth import Principal
from api.bodies import OnboardBody
from api.dependencies import Services, ServicesDep
from api.errors import Problem, not_found, problems
from api.permits import Anyone, MayReadPayee, MayWritePayee
from api.views import AccountOut, OnboardingOut
from domain.payees import PayeeKind
from schema.messages.payees import PayeeRef
from schema.queries import payees

router = APIRouter(tags=["Payouts"])

_ONBOARDING = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)

# The address holds what lets somebody in.
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

_BACK = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>RideNDine</title>
<h1>Thank you</h1>
<p>Stripe has what you gave. We tell you as soon as you can be paid; you may close this page.</p>
</html>
"""


@router.post("/chefs/{chef_id}/stripe/onboard", responses=_ONBOARDING)
async def onboard_chef(
    held: ServicesDep, who: MayWritePayee, chef_id: UUID, body: OnboardBody | None = None
) -> OnboardingOut:
    """Get the page of Stripe's on which a chef gives his details: for himself, or for an admin.

    Each call opens another one. Until he can be paid, a chef takes no orders.
    """
    return await _onboard(held, who, PayeeRef(kind=PayeeKind.CHEF, payee_id=chef_id), body)


@router.post("/drivers/{driver_id}/stripe/onboard", responses=_ONBOARDING)
async def onboard_driver(
    held: ServicesDep, who: MayWritePayee, driver_id: UUID, body: OnboardBody | None = None
) -> OnboardingOut:
    """Get the page of Stripe's on which a driver gives his details: for himself, or for an admin.

    Each call opens another one. A driver may deliver before that; his money waits for him.
    """
    return await _onboard(held, who, PayeeRef(kind=PayeeKind.DRIVER, payee_id=driver_id), body)


@router.get("/chefs/{chef_id}/stripe/onboard", responses=_LOOKING)
async def chef_account(held: ServicesDep, who: MayReadPayee, chef_id: UUID) -> AccountOut:
    """See whether a chef can be paid, and what Stripe still needs."""
    return await _account(held, who, PayeeRef(kind=PayeeKind.CHEF, payee_id=chef_id))


@router.get("/drivers/{driver_id}/stripe/onboard", responses=_LOOKING)
async def driver_account(held: ServicesDep, who: MayReadPayee, driver_id: UUID) -> AccountOut:
    """See whether a driver can be paid, and what Stripe still needs."""
    return await _account(held, who, PayeeRef(kind=PayeeKind.DRIVER, payee_id=driver_id))


# Not what apps call but where browsers land: no part of the API's document.
@router.get("/stripe/return", include_in_schema=False, dependencies=[Anyone])
async def come_back() -> HTMLResponse:
    """Land here after a visit to Stripe, unless the app gave another address.

    Coming back does not mean that all was given: Stripe's webhook says how the account stands.
    """
    return HTMLResponse(_BACK)


@router.get("/stripe/refresh", include_in_schema=False, dependencies=[Anyone])
async def refresh_link(
    held: ServicesDep, token: Annotated[str, Query(max_length=8000)]
) -> RedirectResponse:
    """Go on at Stripe where a page was used up or too old, unless the app gave another address.

    The token is part of the address that Stripe was given, and good for an hour.
    """
    try:
        refresh = onboarding.read_refresh(token, held.settings)
    except jwt.InvalidTokenError as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad_refresh_token",
            "this address is not valid any more: ask for a new link in the app",
        ) from error
    async with held.database.read() as session:
        if await payees.payee(session, refresh.payee) is None:
            raise not_found(refresh.payee.kind)
    link = await onboarding.link(held, refresh.payee, refresh.return_url)
    return RedirectResponse(link.url, HTTPStatus.SEE_OTHER, headers=_PRIVATE)


async def _onboard(
    held: Services, who: Principal, payee: PayeeRef, body: OnboardBody | None
) -> OnboardingOut:
    await onboarding.must_be_himself(held, payee, who)
    wishes = body or OnboardBody()
    link = await onboarding.link(held, payee, wishes.return_url, wishes.refresh_url)
    return OnboardingOut(
        account_id=link.account.id,
        url=link.url,
        expires_at=link.expires_at,
        details_submitted=link.account.details_submitted,
        payouts_enabled=link.account.payouts_enabled,
    )


async def _account(held: Services, who: Principal, payee: PayeeRef) -> AccountOut:
    await onboarding.must_be_himself(held, payee, who)
    async with held.database.read() as session:
        account = await payees.account_of(session, payee.payee_id)
    if account is None:
        return AccountOut(
            account_id=None,
            details_submitted=False,
            payouts_enabled=False,
            requirements_due=[],
            disabled_reason=None,
        )
    return AccountOut(
        account_id=account.id,
        details_submitted=account.details_submitted,
        payouts_enabled=account.payouts_enabled,
        requirements_due=account.requirements_due,
        disabled_reason=account.disabled_reason,
    )
