"""Every SQL statement that collects what a bank is told of a disputed order."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.evidence import Case, Dish, Proof, Seen, amount
from domain.pricing import Price
from domain.proof import ProofKind
from schema.queries import order_views, proofs
from schema.tables import (
    DeliveryPhoto,
    Dispute,
    Notification,
    Order,
    OrderItem,
    Refund,
    TipCharge,
    User,
    UserProfile,
)


async def case(session: AsyncSession, dispute: Dispute) -> Case:
    """All that is known of a disputed order."""
    view = await order_views.one(session, dispute.order_id, order_views.of_anybody())
    if view is None:
        raise LookupError(f"there is no order {dispute.order_id}")
    order = view.order
    name, email = await _customer(session, order.customer_id)
    return Case(
        order_number=order.order_number,
        kitchen=view.kitchen_name,
        customer_name=name,
        customer_email=email,
        address=_address(order),
        bill=Price(**{field: getattr(order, field) for field in Price.__dataclass_fields__}),
        dishes=tuple(_dish(item) for item in view.items),
        steps=await _steps(session, order.id),
        messages=await _messages(session, order),
        refunds=await _refunds(session, order),
        driver=view.driver_name,
        near_door_at=order.near_door_at,
        delivered_at=order.delivered_at,
        proof=_proof(order.proof or {}, await proofs.photo_of(session, order.id)),
        words=dispute.evidence_text,
        disputed_tip_cents=await _disputed_tip(session, dispute),
    )


async def _disputed_tip(session: AsyncSession, dispute: Dispute) -> int | None:
    return await session.scalar(
        select(col(TipCharge.amount_cents)).where(col(TipCharge.id) == dispute.tip_charge_id)
    )


def _dish(item: OrderItem) -> Dish:
    return Dish(item.name, item.quantity, item.price_cents)


def _proof(kept: Mapping[str, Any], photo: DeliveryPhoto | None) -> Proof:
    return Proof(
        by_code=kept.get("kind") == ProofKind.CODE,
        photo_digest=photo.digest if photo else None,
        photo_at=photo.created_at if photo else None,
        photo_url=kept.get("photoUrl"),
        note=kept.get("note"),
        latitude=photo.latitude if photo else None,
        longitude=photo.longitude if photo else None,
    )


def _address(order: Order) -> str:
    lines = (
        order.delivery_line1,
        order.delivery_line2,
        order.delivery_city,
        f"{order.delivery_state} {order.delivery_postal_code}",
        order.delivery_country,
    )
    return ", ".join(line for line in lines if line)


async def _customer(session: AsyncSession, user_id: UUID) -> tuple[str, str]:
    found = await session.execute(
        select(col(UserProfile.first_name) + " " + col(UserProfile.last_name), col(User.email))
        .join_from(User, UserProfile, col(UserProfile.user_id) == col(User.id))
        .where(col(User.id) == user_id)
    )
    name, email = found.one()
    return name, email


async def _steps(session: AsyncSession, order_id: UUID) -> tuple[Seen, ...]:
    return tuple(
        Seen(step.created_at, f"{step.status} (by {step.actor})")
        for step in await order_views.history(session, order_id)
    )


async def _messages(session: AsyncSession, order: Order) -> tuple[Seen, ...]:
    found = await session.scalars(
        select(Notification)
        .where(
            col(Notification.related_order_id) == order.id,
            col(Notification.user_id) == order.customer_id,
        )
        .order_by(col(Notification.id))
    )
    return tuple(Seen(told.created_at, told.message) for told in found)


async def _refunds(session: AsyncSession, order: Order) -> tuple[Seen, ...]:
    found = await session.scalars(
        select(Refund).where(col(Refund.order_id) == order.id).order_by(col(Refund.id))
    )
    return tuple(
        Seen(
            refund.created_at,
            f"{amount(refund.amount_cents, order.currency)} given back: {refund.status}"
            + (f" ({refund.reason})" if refund.reason else ""),
        )
        for refund in found
    )
