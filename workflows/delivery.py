"""Finding a driver: one offer at a time, in a widening circle (seed 000, Driver Assignment)."""

from datetime import datetime
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import estimates
from workflows.options import DATABASE
from workflows.steps import Steps, until

with workflow.unsafe.imports_passed_through():
    from activities.dispatch import DispatchActivities
    from activities.orders import OFFER_GONE
    from domain.notifications import Alert
    from domain.order_status import Actor, OrderStatus
    from schema.messages.dispatch import (
        AssignmentStatus,
        Offer,
        OfferAnswer,
        OfferSearch,
        OperatorAssign,
        Withdrawal,
    )
    from schema.messages.order import Changes, Order, Terms, Who


class DriverSearch:
    """The offers of one order.

    Everybody within the first radius is asked, the best first; when nobody is left there is a pause
    and the circle widens. Once the widest is through, those who let an offer pass are asked again;
    those who declined or dropped out are not.
    """

    def __init__(self, steps: Steps, terms: Terms) -> None:
        self._steps = steps
        self._terms = terms
        self._offer: Offer | None = None

    async def find(self) -> None:
        """Ask until a driver has the order, it is cancelled, or nobody could be found in time."""
        began = workflow.now()
        gives_up = began + self._terms.dispatch_give_up
        alarm_at: datetime | None = began + self._terms.dispatch_alert
        ring, round_began = 0, began
        while self._searching and workflow.now() < gives_up:
            radius = self._terms.dispatch_radii_km[ring]
            self._offer = await self._ask_next(radius, round_began)
            pause_ends = workflow.now() + self._terms.dispatch_pause
            ends = min(self._offer.expires_at if self._offer else pause_ends, gives_up)
            self._explain(radius, ends)
            if alarm_at and alarm_at <= ends and not await self._answered(alarm_at):
                await self._steps.alarm(Alert.DISPATCH_SLOW)
                alarm_at = None
            if await self._answered(ends):
                continue
            if self._offer is not None:
                await self._expire(self._offer)
            elif ring + 1 < len(self._terms.dispatch_radii_km):
                ring += 1
            else:
                round_began = workflow.now()
                # An assignment may be there that a lost task had recorded.
                await self._steps.look()

    def must_be_open(self, answer: OfferAnswer) -> None:
        """Raise a refusal unless the offer is the one that waits for this driver's answer."""
        offer = self._offer if self._searching else None
        if offer is None or (offer.id, offer.driver_id) != (answer.offer_id, answer.driver_id):
            raise self._offer_gone()

    async def accept(self, answer: OfferAnswer) -> None:
        """Give the order to the driver who says yes. Raises a refusal when the offer is gone."""
        async with self._steps.deciding():
            self.must_be_open(answer)
            try:
                await self._steps.move(
                    OrderStatus.ASSIGNED_TO_DRIVER,
                    Who(role=Actor.DISPATCH, id=answer.by.id),
                    offer_id=answer.offer_id,
                    changes=lambda order: self._assignment(order, answer),
                )
            except ApplicationError as error:
                # A local activity's failure comes as it is, not wrapped as a remote one's.
                if error.type != OFFER_GONE:
                    raise
                raise self._offer_gone() from error

    async def decline(self, answer: OfferAnswer) -> None:
        """Note a driver's no; the next one is asked at once."""
        async with self._steps.deciding():
            self.must_be_open(answer)
            await self._withdraw(AssignmentStatus.DECLINED, answer.offer_id, answer.reason)

    async def assign_by_hand(self, ask: OperatorAssign) -> None:
        """Give the order to the driver an operator chose; a live offer to another is withdrawn."""
        async with self._steps.deciding():
            await self._steps.move(
                OrderStatus.ASSIGNED_TO_DRIVER,
                ask.by,
                reason=ask.reason,
                changes=lambda order: self._assignment(order, ask),
            )

    def _offer_gone(self) -> ApplicationError:
        return self._steps.refusal(OFFER_GONE, "this offer is not open any more")

    @property
    def _searching(self) -> bool:
        return self._steps.has_begun and self._steps.status is OrderStatus.READY_FOR_PICKUP

    def _assignment(self, order: Order, to: OfferAnswer | OperatorAssign) -> Changes:
        offered = self._offer if isinstance(to, OfferAnswer) else None
        estimated = estimates.assigned(
            order,
            workflow.now(),
            self._terms.city,
            pickup_at=offered.estimated_pickup_at if offered else None,
        )
        return estimated.model_copy(update={"driver_id": to.driver_id})

    async def _ask_next(self, radius_km: float, asked_since: datetime) -> Offer | None:
        order = self._steps.order
        return await workflow.execute_local_activity_method(
            DispatchActivities.make_offer,
            OfferSearch(
                order_id=order.id,
                kitchen=order.kitchen,
                ready_at=order.estimated_ready_at,
                radius_km=radius_km,
                asked_since=asked_since,
                at=workflow.now(),
                lasts=self._terms.offer,
                city=self._terms.city,
            ),
            summary=f"ask the best driver within {radius_km:g} km",
            **DATABASE,
        )

    def _explain(self, radius_km: float, ends: datetime) -> None:
        if self._offer is None:
            self._steps.say(f"Nobody to ask within {radius_km:g} km; again at {ends:%H:%M:%S} UTC")
        else:
            self._steps.say(
                f"Waiting for a driver {self._offer.distance_km:.1f} km away to answer"
                f" until {ends:%H:%M:%S} UTC"
            )

    async def _answered(self, by: datetime) -> bool:
        """Whether the state or the offer changed before the moment `by`."""
        offer = self._offer
        return await until(
            lambda: not self._searching or self._offer is not offer,
            by,
            "offer expires" if offer else "ask again",
        )

    async def _expire(self, offer: Offer) -> None:
        async with self._steps.noting():
            # An answer may have been recorded while we waited for the door.
            if self._searching and self._offer is offer:
                await self._withdraw(AssignmentStatus.EXPIRED, offer.id)

    async def _withdraw(
        self, status: AssignmentStatus, offer_id: UUID, reason: str | None = None
    ) -> None:
        was_open = await workflow.execute_local_activity_method(
            DispatchActivities.withdraw_offer,
            Withdrawal(offer_id=offer_id, status=status, reason=reason, at=workflow.now()),
            summary=f"offer {status}",
            **DATABASE,
        )
        self._offer = None
        if not was_open:
            # Its answer was committed by a task that got lost: the driver may have the order.
            await self._steps.catch_up()
