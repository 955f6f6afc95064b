"""What chefs and operators do with webhooks, alike."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.dependencies import Paging, Services
from api.errors import conflict, invalid, not_found
from api.partner_webhooks import (
    WebhookBody,
    WebhookChangeBody,
    WebhookDeliveryOut,
    WebhookSecretOut,
    delivery,
    with_secret,
)
from api.views import Page
from domain import webhooks as rules
from domain.webhooks import DeliveryStatus, OffBecause
from providers.targets import TargetRefused, Why, public_addresses
from schema.queries import webhook_deliveries, webhook_endpoints
from schema.tables import WebhookEndpoint

_LOOK_UP_SECONDS = 5.0


async def check_target(held: Services, url: str) -> None:
    """422 unless an address is one that we may call, as it resolves now."""
    private = held.settings.webhook_private_targets
    try:
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            await public_addresses(url, private=private)
    except TargetRefused as refused:
        raise invalid("url", refused.why, str(refused)) from refused
    except TimeoutError as error:
        raise invalid("url", Why.UNKNOWN, "the host cannot be found in time") from error


async def found(
    session: AsyncSession, webhook_id: UUID, *, of: UUID | None = None, lock: bool = False
) -> WebhookEndpoint:
    """A webhook, a chef's own if it has to be; 404 where there is none. Locked, nobody else changes
    it until this transaction ends.
    """
    look = webhook_endpoints.locked if lock else webhook_endpoints.one
    row = await look(session, webhook_id)
    if row is None or (of is not None and row.chef_id != of):
        raise not_found("webhook")
    return row


async def add(
    session: AsyncSession,
    webhook_id: UUID,
    body: WebhookBody,
    *,
    chef_id: UUID | None,
    by: UUID,
    at: datetime,
) -> WebhookEndpoint:
    """Write a new webhook of a kitchen, or (without `chef_id`) of the market."""
    if chef_id is not None:
        there = await webhook_endpoints.count_of(session, chef_id)
        if there >= rules.MOST_ENDPOINTS_OF_A_KITCHEN:
            raise conflict("too_many_webhooks", f"a kitchen has {there} webhooks at most")
    row = WebhookEndpoint(
        id=webhook_id,
        chef_id=chef_id,
        url=body.url,
        event_types=list(body.event_types),
        description=body.description or "",
        created_by=by,
        created_at=at,
    )
    await webhook_endpoints.add(session, row)
    return row


async def change(
    session: AsyncSession, row: WebhookEndpoint, body: WebhookChangeBody, at: datetime
) -> None:
    """Have a webhook, which is locked, otherwise."""
    if body.changes:
        await webhook_endpoints.change(session, row.id, body.changes)
    if body.enabled is True and not row.enabled:
        await webhook_endpoints.switch_on(session, row.id)
    elif body.enabled is False:
        await webhook_endpoints.switch_off(session, row.id, OffBecause.BY_HAND, at)
    await session.refresh(row)


async def rotate(session: AsyncSession, row: WebhookEndpoint, at: datetime) -> None:
    """Give a webhook, which is locked, another secret; those of before sign as well for a day."""
    oldest = rules.oldest_after_rotation(
        row.signing_version, row.oldest_signing_version, row.rotated_at, at
    )
    row.oldest_signing_version = oldest
    row.signing_version += 1
    row.rotated_at = at
    await session.flush()


async def try_out(session: AsyncSession, row: WebhookEndpoint, at: datetime) -> WebhookDeliveryOut:
    """Send a webhook a message that says nothing."""
    check_on(row)
    delivery_id = uuid7()
    await webhook_deliveries.try_out(session, delivery_id, row.id, at)
    return await show_delivery(session, delivery_id)


def check_on(row: WebhookEndpoint) -> None:
    """409 where a webhook is switched off."""
    if not row.enabled:
        raise conflict("webhook_disabled", "the webhook is switched off: switch it on first")


def secret_of(held: Services, row: WebhookEndpoint) -> WebhookSecretOut:
    """A webhook and its newest secret."""
    secret = rules.secret(held.settings.partners_secret, row.id, row.signing_version)
    return with_secret(row, secret)


async def show_delivery(session: AsyncSession, delivery_id: UUID) -> WebhookDeliveryOut:
    """A message; 404 where there is none."""
    logged = await webhook_deliveries.logged(session, delivery_id)
    if logged is None:
        raise not_found("delivery")
    return delivery(logged)


async def deliveries_of(
    session: AsyncSession, row: WebhookEndpoint, paging: Paging, status: list[DeliveryStatus]
) -> Page[WebhookDeliveryOut]:
    """A page of the messages to a webhook."""
    logged, total = await webhook_deliveries.page(
        session, row.id, status=status, limit=paging.limit, offset=paging.offset
    )
    data = [delivery(one) for one in logged]
    return Page(data=data, page=paging.page, limit=paging.limit, total=total)


def standing(row: WebhookEndpoint) -> dict[str, Any]:
    """What of a webhook is in the log of admins. That names nobody and is never erased: of the
    address it says only whether it is another one.
    """
    return {
        "urlDigest": rules.digest(row.url),
        "eventTypes": list(row.event_types),
        "descriptionDigest": rules.digest(row.description),
        "enabled": row.enabled,
        "signingVersion": row.signing_version,
    }
