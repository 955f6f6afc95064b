"""What operators do with chefs."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import kitchen_verification, suspension
from api.dependencies import PagingDep, ServicesDep
from api.driver_profiles import DocumentDecisionBody, VerificationBody
from api.errors import problems
from api.kitchen_changes import kitchen_change
from api.kitchen_lookup import kitchen_of, profile_of
from api.kitchens import KitchenOut, KitchenProfileOut, kitchen
from api.permits import ActsOnChefs, MayReadChefs
from api.views import Page
from domain.verification import Verification
from schema.queries import chef_profiles

router = APIRouter(prefix="/admin/chefs", tags=["Admin"])

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@router.get(
    "",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
async def list_chefs(
    held: ServicesDep,
    who: MayReadChefs,  # noqa: ARG001 - for admins
    paging: PagingDep,
    status: Annotated[list[Verification] | None, Query()] = None,
    search: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
) -> Page[KitchenOut]:
    """List the chefs, the latest first; `status` may be given several times, `search` looks in the
    names of kitchens and chefs and in email addresses.
    """
    now = datetime.now(UTC)
    async with held.database.read() as session:
        found, total = await chef_profiles.page(
            session, status=status or [], search=search, limit=paging.limit, offset=paging.offset
        )
    return Page(
        data=[kitchen(held.settings, seen, now) for seen in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.get(
    "/{chef_id}",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def get_chef(
    held: ServicesDep,
    who: MayReadChefs,  # noqa: ARG001 - for admins
    chef_id: UUID,
) -> KitchenProfileOut:
    """Look at one chef: the kitchen, what was shown (each with a link), what is missing."""
    return await profile_of(held, chef_id)


@router.put("/{chef_id}/verify", responses=_CHANGES | problems(HTTPStatus.SERVICE_UNAVAILABLE))
async def verify_chef(
    held: ServicesDep, who: ActsOnChefs, chef_id: UUID, body: VerificationBody
) -> KitchenProfileOut:
    """Let a kitchen sell (when all that it must show is approved and good), turn it away, or
    suspend it. Then it takes no new orders from now on, and those that it does not cook yet are
    cancelled by its fault.
    """
    async with held.database.read() as session:
        chef = await kitchen_of(session, chef_id)
    async with (
        suspension.along_with(held, chef.user_id, body.status),
        kitchen_change(held, chef_id) as session,
    ):
        await kitchen_verification.decide(
            session, chef_id, body, by=who.user_id, at=datetime.now(UTC)
        )
    return await profile_of(held, chef_id)


@router.put("/{chef_id}/documents/{document_id}", responses=_CHANGES)
async def decide_chef_document(
    held: ServicesDep,
    who: ActsOnChefs,
    chef_id: UUID,
    document_id: UUID,
    body: DocumentDecisionBody,
) -> KitchenProfileOut:
    """Approve a document or reject it. A kitchen that must show it and has no other such one is
    closed until it is verified again.
    """
    async with kitchen_change(held, chef_id) as session:
        await kitchen_verification.decide_document(
            session,
            document_id,
            body,
            chef_id=chef_id,
            by=who.user_id,
            at=datetime.now(UTC),
        )
    return await profile_of(held, chef_id)
