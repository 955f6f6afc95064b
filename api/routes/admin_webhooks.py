"""What operators do with partners' webhooks: those of kitchens, and those of the whole market."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api import once, webhook_changes
from api.auth import Principal
from api.dependencies import PagingDep, ServicesDep
from api.errors import invalid, not_found, problems
from api.once import OnceKey
from api.partner_webhooks import (
    AdminWebhookBody,
    AdminWebhookChangeBody,
    ReplayBody,
    ReplayedOut,
    WebhookDeliveryOut,
    WebhookOut,
    WebhookReasonBody,
    WebhookSecretOut,
    webhook,
)
from api.permits import ActsOnConfig, MayReadConfig
from api.views import Page
from api.webhook_changes import standing
from domain.webhooks import DeliveryStatus
from schema.queries import admin, webhook_deliveries, webhook_endpoints
from schema.tables import Chef, WebhookEndpoint

router = APIRouter(prefix="/admin/webhooks", tags=["Admin"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CHANGES = _LOOKING | problems(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)

# How many messages one request has tried anew.
MOST_REPLAYED = 1_000

Reason = Annotated[str, Query(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


@router.get("", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_webhooks(
    held: ServicesDep,
    who: MayReadConfig,  # noqa: ARG001 - for admins
    paging: PagingDep,
    chef_id: Annotated[UUID | None, Query(alias="chefId")] = None,
) -> Page[WebhookOut]:
    """List all webhooks, or those of one kitchen, the newest first."""
    async with held.database.read() as session:
        rows, total = await webhook_endpoints.page(
            session, chef_id=chef_id, limit=paging.limit, offset=paging.offset
        )
    data = [webhook(row) for row in rows]
    return Page(data=data, page=paging.page, limit=paging.limit, total=total)


@router.post("", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def add_webhook(
    held: ServicesDep, who: ActsOnConfig, body: AdminWebhookBody, idempotency_key: OnceKey = None
) -> WebhookSecretOut:
    """Have a partner told of all orders and payouts, or of one kitchen's. The answer has the secret
    that the messages are signed with, and nothing else will tell it.
    """
    await webhook_changes.check_target(held, body.url)
    at = datetime.now(UTC)
    async with held.database.write() as session:
        made = await once.claimed(session, who.user_id, idempotency_key, "webhook", body)
        if not made.is_new:
            row = await webhook_changes.found(session, made.id)
            return webhook_changes.secret_of(held, row)
        if body.chef_id is not None and await session.get(Chef, body.chef_id) is None:
            raise invalid("chefId", "unknown_chef", "there is no such chef")
        row = await webhook_changes.add(
            session, made.id, body, chef_id=body.chef_id, by=who.user_id, at=at
        )
        await _note(
            session, who, row, "webhook_created", at=at, reason=body.reason, after=standing(row)
        )
    return webhook_changes.secret_of(held, row)


@router.get("/{webhook_id}", responses=_LOOKING)
async def get_webhook(
    held: ServicesDep,
    who: MayReadConfig,  # noqa: ARG001 - for admins
    webhook_id: UUID,
) -> WebhookOut:
    """Look at a webhook of the market or of a kitchen."""
    async with held.database.read() as session:
        return webhook(await webhook_changes.found(session, webhook_id))


@router.patch("/{webhook_id}", responses=_CHANGES)
async def change_webhook(
    held: ServicesDep, who: ActsOnConfig, webhook_id: UUID, body: AdminWebhookChangeBody
) -> WebhookOut:
    """Change a webhook, or switch it off or on."""
    if body.url is not None:
        await webhook_changes.check_target(held, body.url)
    at = datetime.now(UTC)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, lock=True)
        before = standing(row)
        await webhook_changes.change(session, row, body, at)
        after = standing(row)
        if before != after:
            await _note(
                session,
                who,
                row,
                "webhook_changed",
                at=at,
                reason=body.reason,
                before=before,
                after=after,
            )
        return webhook(row)


@router.delete(
    "/{webhook_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_LOOKING | problems(HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def remove_webhook(
    held: ServicesDep, who: ActsOnConfig, webhook_id: UUID, reason: Reason
) -> None:
    """Take a webhook away, with its log; what waits is not sent."""
    at = datetime.now(UTC)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, lock=True)
        before = {"isThere": True, **standing(row)}
        after = {"isThere": False, **standing(row)}
        await webhook_endpoints.remove(session, row.id)
        await _note(
            session, who, row, "webhook_removed", at=at, reason=reason, before=before, after=after
        )


@router.post("/{webhook_id}/rotate-secret", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def rotate_webhook_secret(
    held: ServicesDep, who: ActsOnConfig, webhook_id: UUID, body: WebhookReasonBody
) -> WebhookSecretOut:
    """Get another secret. For 24 hours the messages bear the old one's signature as well."""
    at = datetime.now(UTC)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, lock=True)
        before = standing(row)
        await webhook_changes.rotate(session, row, at)
        await _note(
            session,
            who,
            row,
            "webhook_secret_rotated",
            at=at,
            reason=body.reason,
            before=before,
            after=standing(row),
        )
    return webhook_changes.secret_of(held, row)


@router.post("/{webhook_id}/enable", responses=_CHANGES)
async def enable_webhook(
    held: ServicesDep, who: ActsOnConfig, webhook_id: UUID, body: WebhookReasonBody
) -> WebhookOut:
    """Send again what happens from now on. What was missed is sent when it is asked for
    (`replay`).
    """
    wanted = AdminWebhookChangeBody(enabled=True, reason=body.reason)
    return await change_webhook(held, who, webhook_id, wanted)


@router.post("/{webhook_id}/test", status_code=HTTPStatus.ACCEPTED, responses=_CHANGES)
async def try_webhook(
    held: ServicesDep, who: ActsOnConfig, webhook_id: UUID, body: WebhookReasonBody
) -> WebhookDeliveryOut:
    """Have an `endpoint.test` sent; what becomes of it is among the deliveries."""
    at = datetime.now(UTC)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, lock=True)
        tried = await webhook_changes.try_out(session, row, at)
        sent = {"deliveryId": str(tried.id)}
        await _note(session, who, row, "webhook_tried", at=at, reason=body.reason, after=sent)
    return tried


@router.get("/{webhook_id}/deliveries", responses=_LOOKING)
async def list_webhook_deliveries(
    held: ServicesDep,
    who: MayReadConfig,  # noqa: ARG001 - for admins
    webhook_id: UUID,
    paging: PagingDep,
    status: Annotated[list[DeliveryStatus] | None, Query()] = None,
) -> Page[WebhookDeliveryOut]:
    """List what was sent to a webhook, the latest first, with its tries."""
    async with held.database.read() as session:
        row = await webhook_changes.found(session, webhook_id)
        return await webhook_changes.deliveries_of(session, row, paging, status or [])


@router.post("/{webhook_id}/replay", responses=_CHANGES)
async def replay_webhook(
    held: ServicesDep, who: ActsOnConfig, webhook_id: UUID, body: ReplayBody
) -> ReplayedOut:
    """Try anew what has not arrived since a moment, the oldest first, 1000 messages at most: ask
    again while there are more.
    """
    at = datetime.now(UTC)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, lock=True)
        webhook_changes.check_on(row)
        missed = webhook_deliveries.missed(row.id, body.since, MOST_REPLAYED)
        replayed = len(await webhook_deliveries.replay(session, missed))
        if replayed:
            before, after = {"replayed": 0}, {"replayed": replayed}
            await _note(
                session,
                who,
                row,
                "webhook_replayed",
                at=at,
                reason=body.reason,
                before=before,
                after=after,
            )
    return ReplayedOut(replayed=replayed, has_more=replayed == MOST_REPLAYED)


@router.post("/deliveries/{webhook_delivery_id}/replay", responses=_CHANGES)
async def replay_webhook_delivery(
    held: ServicesDep, who: ActsOnConfig, webhook_delivery_id: UUID, body: WebhookReasonBody
) -> WebhookDeliveryOut:
    """Try a message anew, at once and for three days, whatever became of it; its id stays."""
    at = datetime.now(UTC)
    async with held.database.write() as session:
        was = await webhook_changes.show_delivery(session, webhook_delivery_id)
        row = await webhook_changes.found(session, was.webhook_id, lock=True)
        webhook_changes.check_on(row)
        delivery = await webhook_deliveries.locked(session, webhook_delivery_id)
        if delivery is None:
            raise not_found("delivery")
        before = {"status": delivery.status, "round": delivery.round}
        await webhook_deliveries.replay(session, webhook_deliveries.this(delivery.id))
        after = {"status": DeliveryStatus.PENDING, "round": delivery.round + 1}
        await _note(
            session,
            who,
            row,
            "webhook_delivery_replayed",
            at=at,
            reason=body.reason,
            before=before,
            after=after,
        )
        return await webhook_changes.show_delivery(session, webhook_delivery_id)


async def _note(
    session: AsyncSession,
    who: Principal,
    row: WebhookEndpoint,
    action: str,
    *,
    at: datetime,
    reason: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await admin.act(
        session,
        key=f"webhook:{row.id}:{uuid7()}",
        admin_id=who.user_id,
        action=action,
        target=("webhook", row.id),
        details={"chefId": str(row.chef_id) if row.chef_id else None},
        at=at,
        before=before,
        after=after,
        reason=reason,
    )
