"""Every SQL statement by which what happens is written down for partners who want to be told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel, col

from domain import webhooks
from domain.webhooks import DeliveryStatus, EventType
from schema.messages.order import Transition
from schema.queries import outbox
from schema.tables import Order, OrderItem, Payout, WebhookDelivery, WebhookEndpoint
from schema.tables.columns import now

# PostgreSQL makes no UUIDv7 of its own before version 18: the milliseconds, before what is random.
_NEW_ID: ColumnElement[UUID] = literal_column(
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing"
    " substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)"
    " from 1 for 6), 52, 1), 53, 1), 'hex')::uuid"
)
_UTC: ColumnElement[str] = literal_column("'UTC'")
_RFC_3339: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")


def _moment(of: Any) -> ColumnElement[str]:
    return func.to_char(func.timezone(_UTC, col(of)), _RFC_3339)


def _object(values: Mapping[str, Any]) -> ColumnElement[Any]:
    pairs: list[Any] = []
    for name, value in values.items():
        named: ColumnElement[str] = literal_column(f"'{name}'")
        pairs += (named, value)
    return func.jsonb_build_object(*pairs)


_OPTIONS = (
    select(
        func.coalesce(
            func.jsonb_agg(
                _object(
                    {
                        "group": literal_column("value -> 'group'"),
                        "name": literal_column("value -> 'name'"),
                        "priceCents": literal_column("value -> 'price_cents'"),
                    }
                )
            ),
            literal_column("'[]'::jsonb"),
        )
    )
    .select_from(func.jsonb_array_elements(col(OrderItem.options)).alias("chosen"))
    .correlate(OrderItem)
    .scalar_subquery()
)
_ITEMS = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                _object(
                    {
                        "id": col(OrderItem.id),
                        "menuItemId": col(OrderItem.menu_item_id),
                        "name": col(OrderItem.name),
                        "quantity": col(OrderItem.quantity),
                        "priceCents": col(OrderItem.price_cents),
                        "options": _OPTIONS,
                    }
                ),
                col(OrderItem.id),
            )
        )
    )
    .where(col(OrderItem.order_id) == col(Order.id))
    .correlate(Order)
    .scalar_subquery()
)

# What of an order partners are told: nothing of who has ordered, and nobody's own words.
_ORDER = {
    "orderId": col(Order.id),
    "orderNumber": col(Order.order_number),
    "sequence": col(Order.sequence),
    "status": col(Order.status),
    "previousStatus": bindparam("was", type_=Text),
    "chefId": col(Order.chef_id),
    "market": col(Order.market),
    "items": _ITEMS,
    "subtotalCents": col(Order.subtotal_cents),
    "taxCents": col(Order.tax_cents),
    "deliveryFeeCents": col(Order.delivery_fee_cents),
    "serviceFeeCents": col(Order.service_fee_cents),
    "discountCents": col(Order.discount_cents),
    "tipCents": col(Order.tip_cents),
    "totalCents": col(Order.total_cents),
    "currency": col(Order.currency),
    "scheduledFor": _moment(Order.scheduled_for),
    "estimatedReadyAt": _moment(Order.estimated_ready_at),
    "estimatedPickupAt": _moment(Order.estimated_pickup_at),
    "estimatedDeliveryAt": _moment(Order.estimated_delivery_at),
    "createdAt": _moment(Order.created_at),
    "paidAt": _moment(Order.paid_at),
    "acceptedAt": _moment(Order.accepted_at),
    "preparedAt": _moment(Order.prepared_at),
    "pickedUpAt": _moment(Order.picked_up_at),
    "deliveredAt": _moment(Order.delivered_at),
    "cancelledAt": _moment(Order.cancelled_at),
    "cancelledBy": col(Order.cancelled_by),
}
_PAYOUT = {
    "payoutId": col(Payout.id),
    "payeeKind": col(Payout.user_type),
    "payeeId": col(Payout.payee_id),
    "market": col(Payout.market),
    "day": col(Payout.day),
    "amountCents": col(Payout.total_paid_cents),
    "currency": col(Payout.currency),
}


def _telling(
    about: type[SQLModel], which: Any, kitchen: Any, data: Mapping[str, Any]
) -> ReturningInsert[Any]:
    """A message about a row, to each endpoint that wants to be told: those of the kitchen that it
    concerns, and those of the whole market. An endpoint that goes meanwhile is waited for.
    """
    kind = bindparam("event_type", type_=Text)
    payload = {
        "type": kind,
        "timestamp": bindparam("timestamp", type_=Text),
        "data": _object(data),
    }
    wanted = (
        select(
            _NEW_ID,
            col(WebhookEndpoint.id),
            kind,
            bindparam("business_key", type_=Text),
            which if about is Order else null(),
            _object(payload),
            literal_column(f"'{DeliveryStatus.PENDING}'"),
            literal_column("1"),
            literal_column("false"),
            literal_column("0"),
            bindparam("at", type_=DateTime(timezone=True)),
        )
        .join(about, which == bindparam("about"))
        .where(
            col(WebhookEndpoint.enabled),
            kind == any_(col(WebhookEndpoint.event_types)),
            or_(col(WebhookEndpoint.chef_id).is_(None), col(WebhookEndpoint.chef_id) == kitchen),
        )
        .with_for_update(read=True, key_share=True, of=WebhookEndpoint)
    )
    written = [
        "id",
        "endpoint_id",
        "event_type",
        "business_key",
        "order_id",
        "payload",
        "status",
        "round",
        "handed_over",
        "attempts",
        "created_at",
    ]
    return (
        insert(WebhookDelivery)
        .from_select(written, wanted)
        .on_conflict_do_nothing()
        .returning(col(WebhookDelivery.id))
    )


# Made once: with every step of every order it is asked whether anybody wants to be told.
_OF_ORDER = _telling(Order, col(Order.id), col(Order.chef_id), _ORDER)
_OF_PAYOUT = _telling(Payout, col(Payout.id), col(Payout.payee_id), _PAYOUT)


async def of_step(session: AsyncSession, step: Transition) -> None:
    """Have partners told of a step of an order that has just been taken, if it is committed."""
    kind = webhooks.of_step(step.was, step.to)
    if kind is None:
        return
    said = webhooks.envelope(kind, step.at, {})
    await _tell(
        session,
        _OF_ORDER,
        {
            "about": step.order_id,
            "business_key": f"order:{step.order_id}:{step.sequence}",
            "event_type": kind,
            "timestamp": said["timestamp"],
            "was": step.was,
        },
    )


async def of_payout(session: AsyncSession, payout_id: UUID, kind: EventType) -> None:
    """Have partners told of a payout that has reached the bank, or not, if it is committed."""
    said = webhooks.envelope(kind, now(), {})
    await _tell(
        session,
        _OF_PAYOUT,
        {
            "about": payout_id,
            "business_key": f"payout:{payout_id}:{kind}",
            "event_type": kind,
            "timestamp": said["timestamp"],
        },
    )


async def _tell(
    session: AsyncSession, telling: ReturningInsert[Any], values: Mapping[str, Any]
) -> None:
    # The parameters are those of the question, not the columns of a row.
    written = await session.execute(
        telling, {**values, "at": now()}, execution_options={"dml_strategy": "raw"}
    )
    if written.first() is not None:
        await outbox.wake(session)
