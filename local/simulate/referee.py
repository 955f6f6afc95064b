"""What must hold of an evening, whatever happened in it. Pure: evidence in, violations out."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from domain import drivers
from domain.ledger import Account, payable
from domain.order_status import ENDED, TRANSITIONS, Actor, OrderStatus
from domain.payees import PayeeKind
from local.simulate.evidence import Evidence
from schema.messages.dispatch import AssignmentStatus
from schema.tables import DriverAssignment, Order, OrderStatusHistory

A, S = AssignmentStatus, OrderStatus


class Violation(NamedTuple):
    """A rule that does not hold, and where."""

    rule: str
    words: str


class Held(NamedTuple):
    """A driver had an order from one moment to another."""

    driver_id: UUID
    order_id: UUID
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Rules:
    """What the rules need to know. `placed` are the orders whose customers were told that they
    are placed.
    """

    capacity: int
    placed: Collection[str] = ()


Rule = Callable[[Evidence, Rules], Iterator[str]]

# By which dispatch takes an order from a driver who cannot be seen any more.
WAS_DARK = "driver_dark"

# A step's moment is when its workflow was told, a little before it is written down: those of two
# orders may be told apart the wrong way round.
_CLOCKS = timedelta(seconds=1)


def judge(evidence: Evidence, rules: Rules, *, over: bool) -> list[Violation]:
    """All violations; what must hold only when the evening is `over` is left out before."""
    return [
        Violation(name, words)
        for name, rule in ({**ALWAYS, **AFTERWARDS} if over else ALWAYS).items()
        for words in rule(evidence, rules)
    ]


def holdings(evidence: Evidence) -> list[Held]:
    """Who had which order when, as far as assignments and steps tell.

    The row of an assignment that was ended says when it ended, not when it was accepted. That was
    at the latest by the step with which the driver got the order; who gave an order back before its
    food was ready may have had it ever since it was offered.
    """
    orders = {order.id: order for order in evidence.orders}
    given = defaultdict(list)
    for step in evidence.steps:
        if step.status is S.ASSIGNED_TO_DRIVER:
            given[step.order_id].append(step.created_at)
    held = []
    for offer in evidence.offers:
        order = orders.get(offer.order_id)
        if order is None or offer.responded_at is None:
            continue
        if offer.status is A.ACCEPTED:
            until = order.delivered_at or order.cancelled_at or evidence.at
            held.append(Held(offer.driver_id, order.id, offer.responded_at, until))
        elif offer.status is A.CANCELLED:
            moments = [at for at in given[order.id] if offer.offered_at <= at < offer.responded_at]
            if not moments and was_given_back(offer):
                moments = [offer.offered_at]
            held.extend(
                Held(offer.driver_id, order.id, at, offer.responded_at) for at in moments[:1]
            )
    return held


def was_given_back(offer: DriverAssignment) -> bool:
    """Whether a driver had the order and lost it, by his own doing or for his silence."""
    return offer.status is A.CANCELLED and (
        offer.ended_by is Actor.DRIVER or offer.reason == WAS_DARK
    )


def most_at_once(held: Sequence[Held], at_least: timedelta = timedelta(0)) -> int:
    """How many of these overlap at most, for longer than `at_least`."""
    changes = []
    for one in held:
        if one.since + at_least < one.until:
            changes += [(one.since + at_least, 1), (one.until, -1)]
    load = most = 0
    # What ends as another begins ends first.
    for _, change in sorted(changes):
        load += change
        most = max(most, load)
    return most


def _nothing_is_lost(evidence: Evidence, rules: Rules) -> Iterator[str]:
    known = {str(order.id) for order in evidence.orders}
    for missing in sorted(set(rules.placed) - known):
        yield f"order {missing} was placed, and is not in the database"


def _one_driver(evidence: Evidence, _: Rules) -> Iterator[str]:
    of_orders: dict[UUID, list[Held]] = defaultdict(list)
    for held in holdings(evidence):
        of_orders[held.order_id].append(held)
    for order_id, held_by in of_orders.items():
        if most_at_once(held_by) > 1:
            yield f"order {order_id} was with two drivers at once"
    accepted = Counter(o.order_id for o in evidence.offers if o.status is A.ACCEPTED)
    for order_id, times in accepted.items():
        if times > 1:
            yield f"order {order_id} has {times} accepted assignments"


def _capacity(evidence: Evidence, rules: Rules) -> Iterator[str]:
    of_drivers: dict[UUID, list[Held]] = defaultdict(list)
    for held in holdings(evidence):
        of_drivers[held.driver_id].append(held)
    for driver_id, held_by in of_drivers.items():
        fits = drivers.capacity(evidence.vehicles[driver_id], rules.capacity)
        if (most := most_at_once(held_by, _CLOCKS)) > fits:
            yield f"driver {driver_id} had {most} orders at once instead of {fits}"


def _one_live_offer(evidence: Evidence, _: Rules) -> Iterator[str]:
    of_orders: dict[UUID, list[Held]] = defaultdict(list)
    of_drivers: dict[UUID, list[Held]] = defaultdict(list)
    for offer in evidence.offers:
        since = max(offer.offered_at, _written(offer.id))
        ends = offer.responded_at or evidence.at
        open_for = Held(offer.driver_id, offer.order_id, since, ends)
        of_orders[offer.order_id].append(open_for)
        # An offer of several orders is one to its driver. Until when one was open that was ended
        # later is not known: it may have been accepted before.
        if offer.stop == 1 and offer.status is not A.CANCELLED:
            of_drivers[offer.driver_id].append(open_for)
    for order_id, offered in of_orders.items():
        if most_at_once(offered) > 1:
            yield f"order {order_id} was offered to two drivers at once"
    for driver_id, offered in of_drivers.items():
        if most_at_once(offered) > 1:
            yield f"driver {driver_id} was offered two runs at once"


def _written(row: UUID) -> datetime:
    """When a row was made, by its UUIDv7 (to the millisecond).

    An offer's own moment is that of the look at the city from which it came: another offer of the
    same order may have ended after that, and before this one was made.
    """
    return datetime.fromtimestamp((row.int >> 80) / 1000, UTC)


def _legal_steps(evidence: Evidence, _: Rules) -> Iterator[str]:
    steps: Mapping[UUID, list[OrderStatusHistory]] = defaultdict(list)
    for step in evidence.steps:
        steps[step.order_id].append(step)
    for order in evidence.orders:
        for words in _illegal(order, steps[order.id]):
            yield f"order {order.order_number} {words}"


def _illegal(order: Order, steps: Sequence[OrderStatusHistory]) -> Iterator[str]:
    if [step.sequence for step in steps] != list(range(1, len(steps) + 1)):
        yield f"has steps {[step.sequence for step in steps]}"
    if not steps or steps[0].status is not S.PENDING or steps[-1].status is not order.status:
        yield f"is {order.status}, by its steps {[str(step.status) for step in steps]}"
    for before, after in pairwise(steps):
        if after.actor not in TRANSITIONS[before.status].get(after.status, frozenset()):
            yield f"went from {before.status} to {after.status} by {after.actor}"
        if after.created_at < before.created_at:
            yield f"was {after.status} before it was {before.status}"


def _brought_by_its_driver(evidence: Evidence, _: Rules) -> Iterator[str]:
    accepted = {(o.order_id, o.driver_id) for o in evidence.offers if o.status is A.ACCEPTED}
    for order in evidence.orders:
        if order.status is S.DELIVERED and (order.id, order.driver_id) not in accepted:
            yield f"order {order.order_number} was delivered by whom nobody had given it"


def _balance(evidence: Evidence, _: Rules) -> Iterator[str]:
    if evidence.balance is None:
        return
    for currency, cents in evidence.balance.off.items():
        yield f"debits and credits differ by {cents} {currency} cents"
    for crooked in evidence.balance.crooked:
        yield f"movement {crooked.key} {crooked.wrong}"


def _every_order_has_ended(evidence: Evidence, _: Rules) -> Iterator[str]:
    for order in evidence.orders:
        if order.status not in ENDED:
            yield f"order {order.order_number} is still {order.status}"


def _booked_in_full(evidence: Evidence, _: Rules) -> Iterator[str]:
    """A delivered order has paid everybody; of an ended one nothing is left on deposit."""
    cents: dict[tuple[UUID, str], int] = defaultdict(int)
    for one in evidence.booked:
        cents[one.order_id, one.account] += one.cents
    for order in evidence.orders:
        if order.status not in ENDED:
            continue
        if left := cents[order.id, Account.CUSTOMER_DEPOSITS]:
            yield f"order {order.order_number} has left {left} cents on deposit"
        if order.status is S.DELIVERED and order.driver_id is not None:
            chef = -cents[order.id, payable(PayeeKind.CHEF, order.chef_id)]
            driver = -cents[order.id, payable(PayeeKind.DRIVER, order.driver_id)]
            if chef != order.chef_earning_cents:
                yield f"order {order.order_number} has paid its chef {chef} cents"
            # A bonus may come on top.
            if driver < order.driver_earning_cents:
                yield f"order {order.order_number} has paid its driver {driver} cents"


def _stripe_agrees(evidence: Evidence, _: Rules) -> Iterator[str]:
    if evidence.kept is None:
        return
    for order in evidence.orders:
        kept = evidence.kept.get(evidence.payments.get(order.id, ""), 0)
        due = order.total_cents if order.status is S.DELIVERED else order.kept_cents or 0
        if order.status in {S.DELIVERED, S.CANCELLED} and kept != due:
            yield f"order {order.order_number}: Stripe holds {kept} cents instead of {due}"


ALWAYS: Mapping[str, Rule] = {
    "nothing that was placed is lost": _nothing_is_lost,
    "one driver for an order": _one_driver,
    "no driver over capacity": _capacity,
    "one live offer for an order and for a driver": _one_live_offer,
    "every step was legal": _legal_steps,
    "delivered by whom it was given to": _brought_by_its_driver,
    "the books sum to zero": _balance,
}
AFTERWARDS: Mapping[str, Rule] = {
    "every order has ended": _every_order_has_ended,
    "every order is booked in full": _booked_in_full,
    "Stripe holds what it should": _stripe_agrees,
}
