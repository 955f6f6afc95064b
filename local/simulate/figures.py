"""What an evening comes to, in figures: pure, from evidence and diary. Minutes are the city's."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.ledger import payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from local.simulate import evening, referee
from local.simulate.eta_errors import EtaErrors, eta_errors, percentile
from local.simulate.evening import Outcome
from local.simulate.evidence import Evidence
from local.simulate.referee import holdings
from schema.messages.dispatch import AssignmentStatus
from schema.tables import DriverAssignment

A, S = AssignmentStatus, OrderStatus

LATE_MINUTES = 60
# Seconds of the city's: an answer that takes longer than an offer is open, or a person who wakes up
# so late, is the machine's doing and not the system's.
_SLOW_ANSWER = 30.0
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
        "clickToDoor": _spread(doors) | {"over60": sum(one > LATE_MINUTES for one in doors)},
        "readyToPickup": _spread(waits),
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
    ready: dict[UUID, datetime] = {}
    for step in outcome.evidence.steps:
        if step.status is S.READY_FOR_PICKUP:
            ready.setdefault(step.order_id, step.created_at)
    return [
        minutes(ready[order.id], order.picked_up_at)
        for order in outcome.evidence.orders
        if order.picked_up_at is not None and order.id in ready
    ]


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
    for offers in _by_offer(evidence).values():
        offer = offers[0]
        found["given back" if offer.status is A.CANCELLED else offer.status.value] += 1
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
        for offers in _by_offer(evidence).values()
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
    earned = sorted(earnings(outcome.evidence).values())
    hours = outcome.ended_at / 3600 * outcome.scenario.drivers
    return {
        "utilisation": round(doing["busy"] / on_duty, 3) if on_duty else None,
        "silentShare": round(doing["silent"] / (sum(doing.values()) or 1), 3),
        "flatTyres": outcome.diary.flat_tyres,
        "withOrders": len(earned),
        "earnedCents": {
            "total": sum(earned),
            "lowest": earned[0] if earned else 0,
            "median": int(percentile(earned, 0.5)),
            "highest": earned[-1] if earned else 0,
            "perHour": round(sum(earned) / hours) if hours else 0,
        },
    }


def _eta(outcome: Outcome, promise: str) -> EtaErrors:
    return eta_errors(eta_minutes(outcome, promise))


def _spread(minutes: Sequence[float]) -> dict[str, float]:
    return {
        "count": len(minutes),
        "mean": round(sum(minutes) / (len(minutes) or 1), 2),
        "p50": round(percentile(minutes, 0.5), 2),
        "p90": round(percentile(minutes, 0.9), 2),
        "max": round(percentile(minutes, 1.0), 2),
    }


def _minutes(outcome: Outcome) -> Minutes:
    speed = outcome.scenario.speed
    return lambda since, until: (until - since).total_seconds() * speed / 60


def _by_offer(evidence: Evidence) -> dict[UUID, list[DriverAssignment]]:
    found: dict[UUID, list[DriverAssignment]] = defaultdict(list)
    for row in evidence.offers:
        found[getattr(row, "offer_id", None) or row.id].append(row)
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
