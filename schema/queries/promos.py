"""Every SQL statement about promo codes and their uses."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.promo import Basket, Promo, Verdict, judge
from schema.messages.order import Order, Transition
from schema.tables import PromoCode, PromoRedemption


class NotRedeemed(Exception):
    """A code does not apply any more to an order that was to use it: `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.words)
        self.verdict = verdict


async def verdict(session: AsyncSession, code: str, customer_id: UUID, basket: Basket) -> Verdict:
    """What a code does for a customer's basket as things stand; nothing is held for him."""
    row = await session.scalar(select(PromoCode).where(col(PromoCode.code) == code))
    return await _judged(session, code, row, customer_id, basket)


async def redeem(session: AsyncSession, order: Order) -> None:
    """Count the use of a new order's code, if it has one. Raises NotRedeemed.

    The code's row is locked until the order is written: whoever else wants to use it waits, and is
    judged by what is then left.
    """
    if order.promo_code is None:
        return
    row = await locked(session, order.promo_code)
    basket = Basket(
        order.price.subtotal_cents, order.price.currency, order.market, at=order.placed_at
    )
    found = await _judged(session, order.promo_code, row, order.customer_id, basket)
    if row is None or found.reason is not None:
        raise NotRedeemed(found)
    await session.execute(
        update(PromoCode).where(col(PromoCode.id) == row.id).values(uses=PromoCode.uses + 1)
    )
    await session.execute(
        insert(PromoRedemption).values(
            id=uuid7(),
            promo_code_id=row.id,
            order_id=order.id,
            customer_id=order.customer_id,
            discount_cents=order.price.discount_cents,
            redeemed_at=order.placed_at,
        )
    )


async def give_back(session: AsyncSession, step: Transition) -> None:
    """Free the use that a cancelled order had of a code, if it had one; once is enough."""
    returned = (
        update(PromoRedemption)
        .where(
            col(PromoRedemption.order_id) == step.order_id,
            col(PromoRedemption.returned_at).is_(None),
        )
        .values(returned_at=step.at)
        .returning(col(PromoRedemption.promo_code_id))
        .cte()
    )
    await session.execute(
        update(PromoCode)
        .where(col(PromoCode.id) == returned.c.promo_code_id)
        .values(uses=PromoCode.uses - 1)
        .execution_options(synchronize_session=False)
    )


async def create(session: AsyncSession, row: PromoCode) -> bool:
    """Write a new code; False when there is one of that name."""
    written = await session.execute(
        insert(PromoCode)
        .values(**row.model_dump())
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(col(PromoCode.id))
    )
    return written.first() is not None


async def locked(session: AsyncSession, code: str) -> PromoCode | None:
    """A code that nobody else uses or changes until this transaction ends."""
    return await session.scalar(
        select(PromoCode).where(col(PromoCode.code) == code).with_for_update()
    )


async def change(session: AsyncSession, promo_id: UUID, values: Mapping[str, object]) -> None:
    """Give a code other limits."""
    await session.execute(update(PromoCode).where(col(PromoCode.id) == promo_id).values(**values))


async def page(
    session: AsyncSession, *, limit: int, offset: int
) -> tuple[Sequence[PromoCode], int]:
    """A page of all codes, the newest first, and how many there are."""
    total = await session.scalar(select(func.count()).select_from(PromoCode))
    found = await session.scalars(
        select(PromoCode)
        .order_by(col(PromoCode.created_at).desc(), col(PromoCode.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return found.all(), total or 0


async def _judged(
    session: AsyncSession, code: str, row: PromoCode | None, customer_id: UUID, basket: Basket
) -> Verdict:
    if row is None:
        return judge(code, None, basket, used_by_customer=0)
    used = await session.scalar(
        select(func.count())
        .select_from(PromoRedemption)
        .where(
            col(PromoRedemption.promo_code_id) == row.id,
            col(PromoRedemption.customer_id) == customer_id,
            col(PromoRedemption.returned_at).is_(None),
        )
    )
    return judge(code, _terms(row), basket, used_by_customer=used or 0)


def _terms(row: PromoCode) -> Promo:
    return Promo(**{name: getattr(row, name) for name in Promo.__dataclass_fields__})
