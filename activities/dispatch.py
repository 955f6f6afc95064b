"""What a zone has done: orders and drivers matched, offers made and ended."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from temporalio import activity

from activities.messenger import Messenger, Telling
from activities.orders import offer_gone
from activities.roads import Roads
from activities.snapshot import Snapshot, Snapshots, ready_at
from domain.dispatch.plan import HeldBack, Plan, Policy
from domain.dispatch.rules import Rules
from domain.notifications import Alert
from domain.order_status import IN_HAND, WANTS_DRIVER, OrderStatus
from providers.positions import Positions
from schema.database import Database
from schema.messages.dispatch import (
    AssignmentStatus,
    Decline,
    Declined,
    DriverNews,
    Standing,
    Tick,
    Ticked,
)
from schema.messages.order import Order, StatusView
from schema.queries import drivers, notifications, offers, orders, searches
from schema.queries.offers import NotOffered
from schema.queries.searches import Looking
from schema.tables import DriverAssignment

# A zone that was terminated leaves its offers open, and their drivers with them.
_STALE_AFTER = timedelta(minutes=1)
# However much happens in a zone, it looks no more than a fifth of the time, but never rests for
# longer than a tick; and from one look to the next so much time passes at least.
_SHARE, _REST = 5, timedelta(seconds=0.25)
_BEFORE_PICKUP = frozenset({OrderStatus.PREPARING, OrderStatus.ASSIGNED_TO_DRIVER})

_log = structlog.get_logger()


@dataclass
class _Parted:
    """The orders of a zone, by what is to be done about them."""

    over: list[UUID] = field(default_factory=list)
    waiting: list[Looking] = field(default_factory=list)
    offered: list[Looking] = field(default_factory=list)
    under_way: list[Looking] = field(default_factory=list)


class DispatchActivities:
    """A zone's looks at its orders; each may be repeated, and finds what the last one left."""

    def __init__(
        self,
        database: Database,
        positions: Positions,
        *,
        messenger: Messenger,
        snapshots: Snapshots,
        roads: Roads,
        policy: Policy,
        rules: Rules,
        found: Any,
        dark: Any,
    ) -> None:
        """`found` and `dark` are the signals by which an order hears of its driver."""
        self._database = database
        self._positions = positions
        self._messenger = messenger
        self._snapshots = snapshots
        self._roads = roads
        self._policy = policy
        self._rules = rules
        self._found = found
        self._dark = dark

    @activity.defn
    async def plan_tick(self, tick: Tick) -> Ticked:
        """Look at a zone's orders, and have drivers asked for those that should have one."""
        tick, began = _begun(tick), monotonic()
        await self._end_offers(tick)
        async with self._database.read() as session:
            known = await searches.looking(session, tick.order_ids)
        parted = self._part(known, tick)
        await self._watch(parted.under_way, tick.at)
        # Another order of the offer may be cancelled, or its driver suspended.
        again = [
            min(look.assignment.expires_at, tick.at + self._rules.tick)
            for look in parted.offered
            if look.assignment
        ]
        again += [tick.at + self._rules.watch] * bool(parted.under_way)
        held: dict[UUID, HeldBack] = {}
        made: list[UUID] = []
        if parted.waiting:
            await self._raise_bonuses(parted.waiting, tick.at)
            snapshot = await self._snapshots.take(tick.zone, parted.waiting, tick.at)
            # In a thread of its own: whatever else this process does goes on meanwhile.
            plan = await asyncio.to_thread(self._policy, snapshot.scene)
            self._roads.learn()
            made = await self._offer_all(snapshot, plan, began)
            held = {UUID(kept.order_id): kept.reason for kept in plan.held}
            again.append(self._again(snapshot, plan, made))
        async with self._database.write() as session:
            looked_at = [look.order.id for look in (*parted.waiting, *parted.offered)]
            await searches.note_looked(session, looked_at, tick.at, held)
        return Ticked(
            over=parted.over,
            standing=Standing(
                waiting=len(parted.waiting) - len(made),
                held=dict(sorted(Counter(why.value for why in held.values()).items())),
                offered=len(parted.offered) + len(made),
                under_way=len(parted.under_way),
            ),
            again_at=min(again, default=None),
            rests_until=tick.at + self._rest(_since(began)),
        )

    @activity.defn
    async def decline_offer(self, no: Decline) -> Declined:
        """Note a driver's no to an offer. Fails for good (OfferGone) when it is gone."""
        try:
            async with self._database.write() as session:
                declined = await offers.decline(session, no)
                order = await orders.load(session, declined[0])
        except offers.OfferGone as gone:
            raise offer_gone() from gone
        if order is None:
            raise LookupError(f"there is no order {declined[0]}")
        return Declined(order_ids=declined, view=standing(order))

    async def _end_offers(self, tick: Tick) -> None:
        """End what was not answered in time, and take off duty who never answers."""
        silent: list[UUID] = []
        async with self._database.write() as session:
            await offers.forget(session, datetime.now(UTC) - _STALE_AFTER)
        async with self._database.write() as session:
            for expired in await offers.expire(session, tick.order_ids, tick.at):
                driver_id = expired.driver_id
                if not await offers.has_fallen_silent(session, driver_id, self._rules.silences):
                    continue
                await drivers.go_off_duty(session, driver_id)
                parties = await orders.parties(session, expired.order_id)
                await notifications.tell(
                    session,
                    Alert.DRIVER_SILENT,
                    parties._replace(driver_id=driver_id),
                    key=str(expired.offer_id),
                )
                silent.append(driver_id)
        for driver_id in silent:
            await self._positions.forget(driver_id)

    def _part(self, known: Sequence[Looking], tick: Tick) -> _Parted:
        parted = _Parted()
        gone = set(tick.order_ids)
        for look in known:
            place = self._place_of(look, parted, tick.at)
            if place is not None:
                place.append(look)
                gone.discard(look.order.id)
        parted.over = sorted(gone)
        return parted

    def _place_of(self, look: Looking, parted: _Parted, at: datetime) -> list[Looking] | None:
        """Where an order belongs; None when the zone has nothing to do with it any more."""
        order, assignment = look.order, look.assignment
        if order.status in WANTS_DRIVER and assignment is None:
            return parted.waiting if self._is_expected(look, at) else None
        if assignment is not None and assignment.status is AssignmentStatus.OFFERED:
            return parted.offered
        is_due = at <= order.estimated_delivery_at + self._rules.give_up
        return parted.under_way if order.status in IN_HAND and is_due else None

    def _is_expected(self, look: Looking, at: datetime) -> bool:
        """Whether an order that waits is still to be planned for; else it joins again if it is."""
        order, rules = look.order, self._rules
        if order.status is OrderStatus.PREPARING:
            return at <= max(order.estimated_ready_at, look.since) + rules.patience
        return at <= max(order.prepared_at or at, look.since) + rules.give_up + rules.patience

    async def _watch(self, under_way: Sequence[Looking], at: datetime) -> None:
        """Tell orders what they have missed of their drivers, and that theirs is lost."""
        now = datetime.now(UTC)
        for look in under_way:
            order, assignment = look.order, look.assignment
            if assignment is None:
                continue
            if order.status is OrderStatus.READY_FOR_PICKUP:
                await self._tell(order.id, self._found, assignment.driver_id)
            elif not self._is_dark(look.driver_seen_at, assignment, now, at):
                continue
            elif order.status in _BEFORE_PICKUP:
                await self._tell(order.id, self._dark, assignment.driver_id)
            else:
                async with self._database.write() as session:
                    parties = await orders.parties(session, order.id)
                    await notifications.tell(
                        session, Alert.DRIVER_DARK, parties, key=str(assignment.id)
                    )

    def _is_dark(
        self,
        seen_at: datetime | None,
        assignment: DriverAssignment,
        now: datetime,
        at: datetime,
    ) -> bool:
        """Whether a driver who could be seen has not been for too long, since he has the order.

        He is seen by the clock on the wall, the order was taken by the workflow's.
        """
        taken_at = assignment.responded_at or assignment.offered_at
        had_time = at - taken_at > self._rules.dark
        return had_time and seen_at is not None and now - seen_at > self._rules.dark

    async def _tell(self, order_id: UUID, signal: Any, driver_id: UUID) -> None:
        news = DriverNews(driver_id=driver_id)
        await self._messenger.tell_order(
            Telling(order_id=order_id, signal=signal.__name__, fact=news.model_dump(mode="json"))
        )

    async def _raise_bonuses(self, waiting: Sequence[Looking], at: datetime) -> None:
        widening = self._rules.widening
        due = [
            look.order.id
            for look in waiting
            if look.search.bonus_cents == 0
            and widening.bonus_is_due(look.since, ready_at(look.order, at), at)
        ]
        if due and self._rules.bonus_cents:
            async with self._database.write() as session:
                await searches.raise_bonus(session, due, self._rules.bonus_cents)

    async def _offer_all(self, snapshot: Snapshot, plan: Plan, began: float) -> list[UUID]:
        """Make the offers of a plan, each in a transaction of its own; the orders offered.

        A driver's time begins when he is asked, and not when the look `began`.
        """
        offered: list[UUID] = []
        for proposal in plan.proposals:
            new = snapshot.offer(proposal, snapshot.at + _since(began), self._rules.offer)
            try:
                async with self._database.write() as session:
                    offer_id = await offers.offer(session, new, self._rules.capacity)
                    parties = await orders.parties(session, new.stops[0].order_id)
                    await notifications.tell(
                        session,
                        Alert.DRIVER_OFFER,
                        parties._replace(driver_id=new.driver_id),
                        key=str(offer_id),
                    )
            except NotOffered as why:
                _log.info("not offered", driver_id=str(new.driver_id), why=str(why))
            else:
                offered += [stop.order_id for stop in new.stops]
        return offered

    def _rest(self, took: timedelta) -> timedelta:
        """How long after a look began, which took so long, the next one may begin."""
        return max(_REST, min(_SHARE * took, took + self._rules.tick))

    def _again(self, snapshot: Snapshot, plan: Plan, offered: Sequence[UUID]) -> datetime:
        """When to look again at the orders that were waiting."""
        at, rules = snapshot.at, self._rules
        moments = [at + min(rules.offer, rules.tick)] if offered else []
        proposed = sum(len(proposal.pickups) for proposal in plan.proposals)
        if proposed > len(offered):
            # Somebody else was faster: another plan is due.
            moments.append(at + rules.retry)
        for kept in plan.held:
            until = at if kept.until is None else snapshot.moment(kept.until)
            moments.append(min(max(until, at + rules.tick), at + rules.watch))
        return min(moments)


def _begun(tick: Tick) -> Tick:
    """A look as of when it begins, which may be long after it was asked for: one before it may have
    come to nothing. By the server's clock, as workflows have it.
    """
    if not activity.in_activity():
        return tick
    return tick.model_copy(update={"at": max(tick.at, activity.info().started_time)})


def _since(began: float) -> timedelta:
    return timedelta(seconds=monotonic() - began)


def standing(order: Order) -> StatusView:
    """Where an order stands, for whoever did something about its offer."""
    return StatusView(
        order_id=order.id,
        order_number=order.number,
        status=order.status,
        sequence=order.sequence,
        driver_id=order.driver_id,
        estimated_ready_at=order.estimated_ready_at,
        estimated_delivery_at=order.estimated_delivery_at,
        refund_cents=None,
        waiting_for="",
    )
