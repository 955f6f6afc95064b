"""Telling whoever is listening that an order has moved.

A step is announced right after its commit, while its local activity still runs. Where Redis does
not answer, the step stands all the same, and the workflow has `announce` do it again, durably. A
step whose process died before it was announced is announced with the next one.

Steps are told in their order, each once. Of those from before Redis lost its memory nobody knows
whether they were told: they are not told again with another one, since clients look at the order
anew by then.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity

from activities.market_terms import MarketTerms
from domain.order_status import OrderStatus
from providers.live import Live, Said
from schema import live_events
from schema.database import Database
from schema.live_events import Concerned, step_key
from schema.messages.live import LiveEvent
from schema.messages.order import Transition
from schema.queries import live_orders, orders

# That an order was placed, nobody can have been listening for.
_FIRST_TOLD = 2

_log = structlog.get_logger()


class Announcer:
    """Tells the steps of orders live, with all that is to be told of each."""

    def __init__(self, database: Database, live: Live, terms: MarketTerms) -> None:
        self._database = database
        self._live = live
        self._terms = terms

    async def try_announce(self, step: Transition) -> bool:
        """Announce a step; False when that was not possible now."""
        try:
            await self._publish(step)
        except (RedisError, SQLAlchemyError, OSError) as error:
            _log.warning("step not announced", order_id=str(step.order_id), error=str(error))
            return False
        return True

    @activity.defn
    async def announce(self, step: Transition) -> None:
        """Announce a step that could not be announced before. Raises RedisError until it can."""
        await self._publish(step)

    async def _publish(self, step: Transition) -> None:
        is_first = step.sequence == _FIRST_TOLD
        is_told = await self._live.tell_all(
            await self._events(step),
            first=is_first,
            after=None if is_first else step_key(step.sequence - 1),
            before=step_key(step.sequence + 1),
        )
        if not is_told:
            await self._tell_up_to(step)

    async def _tell_up_to(self, last: Transition) -> None:
        """Tell a step, and before it those that were never told."""
        said = await self._live.said(last.order_id)
        async with self._database.read() as session:
            steps = await orders.steps_after(session, last.order_id, _told(said, last.sequence))
        for step in steps:
            if step.sequence == last.sequence or (
                step.sequence < last.sequence and step.at >= said.since
            ):
                await self._live.tell_all(
                    await self._events(step), before=step_key(step.sequence + 1)
                )

    async def _events(self, step: Transition) -> Sequence[LiveEvent]:
        """What is told of a step: all at once, or not at all."""
        async with self._database.read() as session:
            of = await live_orders.at_step(session, step.order_id, step.sequence)
        events = [live_events.step(step, of)]
        if live_events.changes_estimates(step.changes):
            keep = of._replace(driver_user_id=None) if _is_given_back(step) else of
            events.append(live_events.estimates(keep, step_key(step.sequence), step.at))
        if step.to is OrderStatus.PAYMENT_CONFIRMED:
            events.append(await self._new_order(of, step.at))
        if step.to is OrderStatus.ASSIGNED_TO_DRIVER:
            events += live_events.assigned(of, step.at)
        return events

    async def _new_order(self, of: Concerned, paid_at: datetime) -> LiveEvent:
        """What a chef is told of an order that is paid, and by when he has to answer, as the
        order's workflow has it.
        """
        async with self._database.read() as session:
            portions = await live_orders.portions(session, of.order_id)
            order = await orders.load(session, of.order_id)
        if order is None:
            raise LookupError(f"there is no order {of.order_id}")
        terms = await self._terms.at(order.market, order.placed_at)
        respond_by = terms.chef_asked_from(order, paid_at) + terms.chef_response
        return live_events.new_order(of, portions, respond_by, paid_at)


def _told(said: Said, before: int) -> int:
    """The last step that is known to have been told of those before one; or the placing."""
    numbers = range(before - 1, _FIRST_TOLD - 1, -1)
    return next((number for number in numbers if step_key(number) in said.keys), 1)


def _is_given_back(step: Transition) -> bool:
    return (step.was, step.to) == (OrderStatus.ASSIGNED_TO_DRIVER, OrderStatus.READY_FOR_PICKUP)
