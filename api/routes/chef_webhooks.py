"""Where chefs have their tills told."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import once, webhook_changes
from api.dependencies import PagingDep, ServicesDep
from api.errors import problems
from api.kitchen_lookup import chef_of
from api.once import OnceKey
from api.partner_webhooks import (
    WebhookBody,
    WebhookChangeBody,
    WebhookDeliveryOut,
    WebhookOut,
    WebhookSecretOut,
    webhook,
)
from api.permits import MayReadKitchen, MayWriteKitchen
from api.views import Page
from domain.webhooks import DeliveryStatus
from schema.queries import webhook_endpoints

router = APIRouter(prefix="/chef/webhooks", tags=["Chef"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CHANGES = _LOOKING | problems(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.get("", responses=_LOOKING)
async def list_webhooks(
    held: ServicesDep, who: MayReadKitchen, paging: PagingDep
) -> Page[WebhookOut]:
    """List the kitchen's webhooks, the newest first."""
    chef_id = await chef_of(held, who)
    async with held.database.read() as session:
        rows, total = await webhook_endpoints.page(
            session, chef_id=chef_id, limit=paging.limit, offset=paging.offset
        )
    data = [webhook(row) for row in rows]
    return Page(data=data, page=paging.page, limit=paging.limit, total=total)


@router.post("", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def add_webhook(
    held: ServicesDep, who: MayWriteKitchen, body: WebhookBody, idempotency_key: OnceKey = None
) -> WebhookSecretOut:
    """Have a till told of the kitchen's own orders and payouts. The answer has the secret that the
    messages are signed with, and nothing else will tell it. There are 10 webhooks at most.
    """
    chef_id = await chef_of(held, who)
    await webhook_changes.check_target(held, body.url)
    async with held.database.write() as session:
        made = await once.claimed(session, who.user_id, idempotency_key, "webhook", body)
        if made.is_new:
            row = await webhook_changes.add(
                session, made.id, body, chef_id=chef_id, by=who.user_id, at=datetime.now(UTC)
            )
        else:
            row = await webhook_changes.found(session, made.id, of=chef_id)
    return webhook_changes.secret_of(held, row)


@router.get("/{webhook_id}", responses=_LOOKING)
async def get_webhook(held: ServicesDep, who: MayReadKitchen, webhook_id: UUID) -> WebhookOut:
    """Look at a webhook of the kitchen."""
    chef_id = await chef_of(held, who)
    async with held.database.read() as session:
        return webhook(await webhook_changes.found(session, webhook_id, of=chef_id))


@router.patch("/{webhook_id}", responses=_CHANGES)
async def change_webhook(
    held: ServicesDep, who: MayWriteKitchen, webhook_id: UUID, body: WebhookChangeBody
) -> WebhookOut:
    """Change a webhook of the kitchen, or switch it off or on."""
    chef_id = await chef_of(held, who)
    async with held.database.read() as session:
        await webhook_changes.found(session, webhook_id, of=chef_id)
    if body.url is not None:
        await webhook_changes.check_target(held, body.url)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, of=chef_id, lock=True)
        await webhook_changes.change(session, row, body, datetime.now(UTC))
        return webhook(row)


@router.delete("/{webhook_id}", status_code=HTTPStatus.NO_CONTENT, responses=_LOOKING)
async def remove_webhook(held: ServicesDep, who: MayWriteKitchen, webhook_id: UUID) -> None:
    """Take a webhook away, with its log; what waits is not sent."""
    chef_id = await chef_of(held, who)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, of=chef_id, lock=True)
        await webhook_endpoints.remove(session, row.id)


@router.post("/{webhook_id}/rotate-secret", status_code=HTTPStatus.CREATED, responses=_LOOKING)
async def rotate_webhook_secret(
    held: ServicesDep, who: MayWriteKitchen, webhook_id: UUID
) -> WebhookSecretOut:
    """Get another secret. For 24 hours the messages bear the old one's signature as well."""
    chef_id = await chef_of(held, who)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, of=chef_id, lock=True)
        await webhook_changes.rotate(session, row, datetime.now(UTC))
    return webhook_changes.secret_of(held, row)


@router.post("/{webhook_id}/test", status_code=HTTPStatus.ACCEPTED, responses=_CHANGES)
async def try_webhook(
    held: ServicesDep, who: MayWriteKitchen, webhook_id: UUID
) -> WebhookDeliveryOut:
    """Have an `endpoint.test` sent; what becomes of it is among the deliveries."""
    chef_id = await chef_of(held, who)
    async with held.database.write() as session:
        row = await webhook_changes.found(session, webhook_id, of=chef_id, lock=True)
        return await webhook_changes.try_out(session, row, datetime.now(UTC))


@router.get("/{webhook_id}/deliveries", responses=_LOOKING)
async def list_webhook_deliveries(
    held: ServicesDep,
    who: MayReadKitchen,
    webhook_id: UUID,
    paging: PagingDep,
    status: Annotated[list[DeliveryStatus] | None, Query()] = None,
) -> Page[WebhookDeliveryOut]:
    """List what was sent to a webhook of the kitchen, the latest first, with its tries."""
    chef_id = await chef_of(held, who)
    async with held.database.read() as session:
        row = await webhook_changes.found(session, webhook_id, of=chef_id)
        return await webhook_changes.deliveries_of(session, row, paging, status or [])
