"""How people were told, for operators to look at and to have done again."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api.deliveries import DeliveryFilters, DeliveryOut, ResendBody, delivery, resend
from api.dependencies import PagingDep, ServicesDep
from api.errors import problems
from api.permits import ActsOnUsers, MayReadUsers
from api.views import Page
from schema.queries import delivery_log

router = APIRouter(prefix="/admin/notifications/deliveries", tags=["Admin"])


@router.get(
    "",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
async def list_deliveries(
    held: ServicesDep,
    who: MayReadUsers,  # noqa: ARG001 - for admins
    paging: PagingDep,
    wanted: DeliveryFilters,
) -> Page[DeliveryOut]:
    """List what became of messages by mail, SMS and push, the latest first; `status` and `channel`
    may be given several times.
    """
    async with held.database.read() as session:
        found, total = await delivery_log.page(
            session, wanted, limit=paging.limit, offset=paging.offset
        )
    return Page(
        data=[delivery(seen) for seen in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.post(
    "/{delivery_id}/resend",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def resend_delivery(
    held: ServicesDep, who: ActsOnUsers, delivery_id: UUID, body: ResendBody
) -> DeliveryOut:
    """Have a message sent again that is not on its way any more: as a new one, at once, if its
    reader still wants it. An address or device where nothing arrived any more is tried anew.
    """
    async with held.database.write() as session:
        seen = await resend(session, delivery_id, body.reason, by=who.user_id, at=datetime.now(UTC))
    return delivery(seen)
