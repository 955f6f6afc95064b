"""What an evening comes to, in figures: pure, from evidence and diary. Minutes are the city's."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import eta_quality
from domain.ledger import payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from local.simulate import evening, referee
from local.simulate.evening import Outcome
from local.simulate.evidence import Evidence
from local.simulate.referee import holdings, was_given_back
from local.simulate.spread import percentile, spread
from schema.messages.dispatch import AssignmentStatus
from schema.tables import DriverAssignment

A, S = AssignmentStatus, OrderStatus

LATE_MINUTES = 60
# Seconds of the city's: an answer that takes a third of the time for which an offer is open, or a
# person who wakes up so late, is the machine's doing and not the system's.
_SLOW_ANSWER = 10.0
_SLOW_PERSON = 5.0
_MOST_VIOLATIONS = 100

Minutes = Callable[[datetime, datetime], float]


def summary(outcome: Outcome) -> dict[str, Any]:
    """All of it, as it goes into summary.json."""
    evidence, diary, clock = outcome.evidence, outcome.diary, outcome.clock
    doors = click_to_door(outcome)
    waits = ready_to_pickup(outcome)
    wall = outcome.ended_at / clock.speed
    broken = Counter(violation.rule for violation in outcome.violations)
    rules = [*referee.ALWAYS, *referee.AFTERWARDS, evening.NO_SURPRISE, evening.POSITIONS_BACK]
    return {
        "scenario": asdict(outcome.scenario),
        "interrupted": outcome.interrupted,
        "simulatedMinutes": round(outcome.ended_at / 60, 1),
        "wallSeconds": round(wall, 1),
        "orders": {
            "placed": len(diary.tickets),
            "turnedAway": dict(diary.turned_away),
            "byStatus": dict(Counter(order.status.value for order in evidence.orders)),
            "cancelReasons": dict(
                Counter(o.cancel_reason or "" for o in evidence.orders if o.cancelled_at)
            ),
        },
        "clickToDoor": spread(doors) | {"over60": sum(one > LATE_MINUTES for one in doors)},
        "readyToPickup": spread(waits),
        "hadDriverWhenReady": had_driver_when_ready(outcome),
        "waitingAtKitchen": spread(seconds / 60 for seconds in diary.stood),
        "offers": _offers(evidence),
        "bundles": _bundles(evidence),
        "drivers": _drivers(outcome),
        "eta": {
            "atPlacing": _eta(outcome, "promised_at_placing"),
            "atPickup": _eta(outcome, "promised_at_pickup"),
        },
        "requests": {
            "sent": outcome.exchange.sent,
            "perSecond": round(outcome.exchange.sent / wall, 1),
            "p50Ms": round(percentile(outcome.exchange.seconds, 0.5) * 1000),
            "p99Ms": round(percentile(outcome.exchange.seconds, 0.99) * 1000),
            "answers": {str(status): n for status, n in sorted(outcome.exchange.answers.items())},
            "overtaken": dict(diary.overtaken),
            "unheardPositions": dict(diary.unheard),
        },
        "cores": {name: round(cpu / wall, 3) for name, cpu in outcome.processor.items()},
        "lagSeconds": {
            "p50": round(percentile(clock.lateness, 0.5), 4),
            "p99": round(percentile(clock.lateness, 0.99), 4),
            "max": round(percentile(clock.lateness, 1.0), 4),
        },
        "keptUp": kept_up(outcome),
        "kills": diary.kills,
        "invariants": {rule: broken[rule] for rule in rules},
        "violations": [f"{one.rule}: {one.words}" for one in outcome.violations[:_MOST_VIOLATIONS]],
    }


def kept_up(outcome: Outcome) -> bool:
    """Whether the machine was fast enough for the speed, in 99 of 100 cases.

    Where it was not, times are worse than the system's own.
    """
    answer = percentile(outcome.exchange.seconds, 0.99) * outcome.scenario.speed
    lag = percentile(outcome.clock.lateness, 0.99) * outcome.scenario.speed
    return answer <= _SLOW_ANSWER and lag <= _SLOW_PERSON


def click_to_door(outcome: Outcome) -> list[float]:
    """How many minutes each delivered order took."""
    minutes = _minutes(outcome)
    return [
        minutes(order.created_at, order.delivered_at)
        for order in outcome.evidence.orders
        if order.delivered_at is not None
    ]


def ready_to_pickup(outcome: Outcome) -> list[float]:
    """How many minutes the food of each order stood, from when it was first ready."""
    minutes = _minutes(outcome)
    ready = first_ready(outcome.evidence)
    return [
        minutes(ready[order.id], order.picked_up_at)
        for order in outcome.evidence.orders
        if order.picked_up_at is not None and order.id in ready
    ]


def first_ready(evidence: Evidence) -> dict[UUID, datetime]:
    """When the food of each order was first said to be ready."""
    ready: dict[UUID, datetime] = {}
    for step in evidence.steps:
        if step.status is S.READY_FOR_PICKUP:
            ready.setdefault(step.order_id, step.created_at)
    return ready


def busy_shares(outcome: Outcome) -> dict[UUID, float]:
    """For which share of the evening each driver who had any order had one."""
    intervals: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    for held in holdings(outcome.evidence):
        intervals[held.driver_id].append((held.since, held.until))
    minutes = _minutes(outcome)
    lasted = outcome.ended_at / 60
    return {
        driver_id: sum(minutes(*one) for one in _merged(those)) / lasted
        for driver_id, those in intervals.items()
    }


def earnings(evidence: Evidence) -> dict[UUID, int]:
    """What each driver who delivered anything was booked, in cents."""
    drivers = {order.driver_id for order in evidence.orders if order.driver_id is not None}
    cents: Counter[str] = Counter()
    for one in evidence.booked:
        cents[one.account] -= one.cents
    return {driver: cents[payable(PayeeKind.DRIVER, driver)] for driver in drivers}


def gini(values: Sequence[float]) -> float:
    """How unevenly something is shared: 0 where all have the same, towards 1 where one has all.

    Half the mean difference of any two, as a share of the mean (Gini 1912).
    """
    ranked, total = sorted(values), sum(values)
    if not total:
        return 0.0
    weighed = sum((2 * rank - len(ranked) - 1) * value for rank, value in enumerate(ranked, 1))
    return weighed / (len(ranked) * total)


def had_driver_when_ready(outcome: Outcome) -> float | None:
    """The share of delivered orders that had their driver by the time their food was ready."""
    taken: dict[UUID, datetime] = {}
    for held in holdings(outcome.evidence):
        taken[held.order_id] = min(held.since, taken.get(held.order_id, held.since))
    ready = first_ready(outcome.evidence)
    those = [taken[o.id] <= ready[o.id] for o in outcome.evidence.orders if o.delivered_at]
    return round(sum(those) / len(those), 3) if those else None


def eta_minutes(outcome: Outcome, promise: str) -> list[float]:
    """By how many minutes each delivered order was later than promised."""
    minutes = _minutes(outcome)
    errors = []
    for order in outcome.evidence.orders:
        ticket = outcome.diary.tickets.get(str(order.id))
        promised: datetime | None = getattr(ticket, promise, None)
        if promised is not None and order.delivered_at is not None:
            errors.append(minutes(promised, order.delivered_at))
    return errors


def outcomes(evidence: Evidence) -> Counter[str]:
    """What became of offers, each counted once however many orders it was about."""
    found: Counter[str] = Counter()
    for rows in by_offer(evidence).values():
        if any(row.status is A.ACCEPTED for row in rows):
            found["accepted"] += 1
        elif any(was_given_back(row) for row in rows):
            found["given back"] += 1
        elif any(row.status is A.CANCELLED for row in rows):
            # Its order was cancelled, or an operator came in between.
            found["withdrawn"] += 1
        else:
            found[rows[0].status.value] += 1
    return found


def _offers(evidence: Evidence) -> dict[str, Any]:
    found = outcomes(evidence)
    yes = found["accepted"] + found["given back"]
    answered = yes + found["declined"] + found["expired"]
    return {
        "made": sum(found.values()),
        "accepted": found["accepted"],
        "givenBack": found["given back"],
        "declined": found["declined"],
        "expired": found["expired"],
        "withdrawn": found["withdrawn"],
        "acceptance": round(yes / answered, 3) if answered else None,
    }


def _bundles(evidence: Evidence) -> dict[str, Any]:
    sizes = Counter(
        len(offers)
        for offers in by_offer(evidence).values()
        if any(offer.status is A.ACCEPTED for offer in offers)
    )
    runs = sum(sizes.values())
    orders = sum(size * number for size, number in sizes.items())
    return {
        "runs": runs,
        "ordersPerRun": round(orders / runs, 3) if runs else None,
        "bySize": {str(size): number for size, number in sorted(sizes.items())},
    }


def _drivers(outcome: Outcome) -> dict[str, Any]:
    doing: Counter[str] = sum((s.doing for s in outcome.diary.samples), Counter[str]())
    on_duty = doing["busy"] + doing["idle"]
    drivers = outcome.scenario.drivers
    earned = sorted(earnings(outcome.evidence).values())
    # Who had no order has earned nothing.
    of_all = [0] * (drivers - len(earned)) + earned
    hours = outcome.ended_at / 3600 * drivers
    return {
        "utilisation": round(doing["busy"] / on_duty, 3) if on_duty else None,
        "silentShare": round(doing["silent"] / (sum(doing.values()) or 1), 3),
        "flatTyres": outcome.diary.flat_tyres,
        "wrongCodes": outcome.diary.wrong_codes,
        "withOrders": len(earned),
        "earnedCents": {
            "total": sum(earned),
            "p10": round(percentile(of_all, 0.1)),
            "p50": round(percentile(of_all, 0.5)),
            "p90": round(percentile(of_all, 0.9)),
            "gini": round(gini(of_all), 3),
            "perHour": round(sum(earned) / hours) if hours else 0,
        },
    }


def _eta(outcome: Outcome, promise: str) -> dict[str, float] | None:
    found = eta_quality.of_errors(eta_minutes(outcome, promise))
    if found is None:
        return None
    return {
        "count": found.count,
        "median": round(found.median, 2),
        "low": round(found.low, 2),
        "high": round(found.high, 2),
        "off": round(found.off, 2),
        "withinFive": round(found.within_five, 3),
    }


def _minutes(outcome: Outcome) -> Minutes:
    speed = outcome.scenario.speed
    return lambda since, until: (until - since).total_seconds() * speed / 60


def by_offer(evidence: Evidence) -> dict[UUID, list[DriverAssignment]]:
    """The rows of each offer."""
    found: dict[UUID, list[DriverAssignment]] = defaultdict(list)
    for row in evidence.offers:
        found[row.offer_id].append(row)
    return found


def _merged(
    intervals: Sequence[tuple[datetime, datetime]],
) -> Iterator[tuple[datetime, datetime]]:
    ranked = sorted(intervals)
    if not ranked:
        return
    since, until = ranked[0]
    for begins, ends in ranked[1:]:
        if begins > until:
            yield since, until
            since, until = begins, ends
        until = max(until, ends)
    yield since, until
