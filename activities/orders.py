"""What the order's workflow has written to and read from the database.

All of these are short, safe to repeat, and run as local activities.
"""

from uuid import UUID

from sqlalchemy.exc import DBAPIError, IntegrityError
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.announce import Announcer
from domain import wording
from domain.order_status import OrderStatus
from domain.placing import CannotBePlaced
from domain.pricing import Price
from providers.kitchen_pages import KitchenPages
from schema.database import Database, is_unstorable
from schema.messages.order import (
    Alarm,
    ChargedTip,
    NewPrice,
    Order,
    OrderRef,
    Placing,
    PromisedTip,
    Recorded,
    StepsAfter,
    Transition,
)
from schema.queries import notifications, orders, payments, promos, refunds, stock, tips
from schema.queries.offers import OfferGone

# A step with a value in it that no database could keep: whoever asked for it may be told so.
UNSTORABLE = "Unstorable"
# A step that takes an offer which is not open any more.
OFFER_GONE = "OfferGone"


def offer_gone() -> ApplicationError:
    """Somebody was faster, or the driver too slow: nothing that anybody has to look into."""
    return ApplicationError(
        "this offer is not open any more",
        type=OFFER_GONE,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


class OrderActivities:
    """An order's row, its steps, and what people are told about them."""

    def __init__(self, database: Database, announcer: Announcer, pages: KitchenPages) -> None:
        self._database = database
        self._announcer = announcer
        self._pages = pages

    @activity.defn
    async def begin_order(self, placing: Placing) -> Order:
        """Write a new order.

        Fails for good: with BadOrder when it refers to what does not exist or holds what cannot be
        stored, with a domain.promo.Reason when its promo code does not apply any more, with a
        domain.placing.Obstacle when somebody else was faster.
        """
        try:
            async with self._database.write() as session:
                order = await orders.begin(session, placing)
        except DBAPIError as error:
            if not _is_final(error):
                raise
            order = await self._written_or(
                placing, ApplicationError(str(error.orig), type="BadOrder", non_retryable=True)
            )
        except promos.NotRedeemed as refused:
            raise ApplicationError(
                str(refused),
                type=refused.verdict.reason,
                non_retryable=True,
                category=ApplicationErrorCategory.BENIGN,
            ) from refused
        except CannotBePlaced as refused:
            order = await self._written_or(
                placing,
                ApplicationError(
                    str(refused),
                    refused.details,
                    type=refused.why,
                    non_retryable=True,
                    category=ApplicationErrorCategory.BENIGN,
                ),
            )
        async with self._database.read() as session:
            chef_id = await stock.counted_by(session, order.id)
        if chef_id is not None:
            await self._pages.changed(chef_id)
        return order

    async def _written_or(self, placing: Placing, refusal: ApplicationError) -> Order:
        """The order, where an attempt that was given up as too slow has written it after all: what
        is missing now went to that attempt. Else raises `refusal`.
        """
        async with self._database.read() as session:
            written = await orders.load(session, placing.order.id)
        if written is None:
            raise refusal
        return written

    @activity.defn
    async def load_order(self, ref: OrderRef) -> Order:
        """Read an order to take it up again; fails for good (UnknownOrder) when there is none."""
        async with self._database.read() as session:
            order = await orders.load(session, ref.order_id)
        if order is None:
            raise ApplicationError(
                f"there is no order {ref.order_id}", type="UnknownOrder", non_retryable=True
            )
        return order

    @activity.defn
    async def record_step(self, step: Transition) -> Recorded:
        """Write one step of an order and announce it.

        Answers with the step that the database holds for this number, which is another one when a
        workflow task was lost after its commit. Fails for good (OfferGone) when the step takes an
        offer that is no longer open; with Unstorable when it refers to what does not exist or
        holds what cannot be stored.
        """
        try:
            async with self._database.write() as session:
                recorded = await orders.record(session, step)
                chef_id = (
                    await stock.counted_by(session, recorded.order_id)
                    if recorded.to is OrderStatus.CANCELLED
                    else None
                )
        except DBAPIError as error:
            if _is_final(error):
                raise ApplicationError(str(error.orig), type=UNSTORABLE) from error
            raise
        except OfferGone as gone:
            raise offer_gone() from gone
        if chef_id is not None:
            await self._pages.changed(chef_id)
        return Recorded(transition=recorded, announced=await self._announcer.try_announce(recorded))

    @activity.defn
    async def steps_after(self, seen: StepsAfter) -> list[Transition]:
        """The steps that the database holds beyond those the workflow knows."""
        async with self._database.read() as session:
            return await orders.steps_after(session, seen.order_id, seen.sequence)

    @activity.defn
    async def set_price(self, new: NewPrice) -> None:
        """Write an order's bill anew, and that its payment is for as much."""
        async with self._database.write() as session:
            await orders.set_price(session, new.order_id, new.price)
            await payments.note_amount(session, new.order_id, new.price.total_cents)

    @activity.defn
    async def promise_tip(self, promised: PromisedTip) -> None:
        """Remember a higher tip until the order is delivered, or forget it."""
        async with self._database.write() as session:
            await tips.promise(session, promised.order_id, promised.tip_cents)

    @activity.defn
    async def note_tip(self, charged: ChargedTip) -> Price:
        """Write down and book a tip that was charged, once; answers with the order's bill."""
        async with self._database.write() as session:
            return await tips.note_charged(
                session, charged.order_id, {charged.payment_intent_id: charged.amount_cents}
            )

    @activity.defn
    async def open_complaints(self, ref: OrderRef) -> list[UUID]:
        """The complaints about an order that wait for an admin."""
        async with self._database.read() as session:
            return await refunds.open_complaints(session, ref.order_id)

    @activity.defn
    async def raise_alarm(self, alarm: Alarm) -> None:
        """Tell those whom an alert concerns, once."""
        async with self._database.write() as session:
            if alarm.near_door_at is not None:
                await orders.mark_near_door(
                    session, alarm.order_id, alarm.near_door_at, alarm.estimated_delivery_at
                )
            parties = await orders.parties(session, alarm.order_id)
            words: dict[str, object] = {}
            if alarm.amount_cents is not None:
                words["amount"] = wording.amount(alarm.amount_cents, parties.currency)
            if alarm.due is not None:
                words["due"] = wording.moment(alarm.due)
            await notifications.tell(
                session, alarm.alert, parties, key=alarm.key, reason=alarm.reason, words=words
            )


def _is_final(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or is_unstorable(error)
