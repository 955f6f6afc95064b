"""Disputes: how one stands, what its order has to hear of it, and who bears one that is lost.

A customer's bank takes a payment back and decides later who keeps it; an inquiry only asks, and
moves no money unless it becomes a dispute. Statuses and reasons are Stripe's own words
(docs.stripe.com/disputes/how-disputes-work).
"""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.ledger import Bearer


class Stage(StrEnum):
    """How far a dispute has come, as far as its order is concerned."""

    INQUIRY = "inquiry"
    DISPUTE = "dispute"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a dispute ended; `dropped` means that the bank never took the money."""

    WON = "won"
    LOST = "lost"
    DROPPED = "dropped"


_OUTCOMES = {
    "won": Outcome.WON,
    "lost": Outcome.LOST,
    "warning_closed": Outcome.DROPPED,
    "prevented": Outcome.DROPPED,
}
_AWAITING_EVIDENCE = frozenset({"needs_response", "warning_needs_response"})

# How long before evidence is due ops is reminded of it.
REMINDERS = (timedelta(days=3), timedelta(days=1))

# How often evidence that Stripe refused is sent again, and how often when its end is near.
_SEND_AGAIN, _SEND_AGAIN_SOON = timedelta(days=1), timedelta(hours=1)
_NEAR = timedelta(days=2)


def is_inquiry(status: str) -> bool:
    """Whether the bank only asks, or did no more than ask."""
    return status.startswith("warning_")


def awaits_evidence(status: str) -> bool:
    """Whether the bank has not been answered and would listen."""
    return status in _AWAITING_EVIDENCE


def outcome_of(status: str) -> Outcome | None:
    """How a dispute of that status ended; None while it is open."""
    return _OUTCOMES.get(status)


def stage_of(status: str) -> Stage:
    """How far a dispute of that status has come."""
    if outcome_of(status) is not None:
        return Stage.CLOSED
    return Stage.INQUIRY if is_inquiry(status) else Stage.DISPUTE


def untold(told: Stage | None, status: str) -> tuple[Stage, ...]:
    """What an order that has heard as far as `told` still has to hear, in this order.

    It hears of an end only after a beginning, however late we hear of either; and of an inquiry
    that became a dispute, both.
    """
    stage, outcome = stage_of(status), outcome_of(status)
    if told is Stage.CLOSED or told is stage:
        return ()
    if stage is Stage.INQUIRY:
        return () if told is Stage.DISPUTE else (Stage.INQUIRY,)
    if stage is Stage.DISPUTE:
        return (Stage.DISPUTE,)
    if outcome is Outcome.DROPPED:
        return (Stage.CLOSED,) if told else (Stage.INQUIRY, Stage.CLOSED)
    return (Stage.CLOSED,) if told is Stage.DISPUTE else (Stage.DISPUTE, Stage.CLOSED)


def usual_fault(reason: str, *, delivered: bool, proven: bool, of_tip: bool = False) -> Bearer:
    """Who bears a dispute that is lost for a reason, unless an admin says otherwise.

    Food that was not as it should be is the chef's, but not its tip, in which he has no part; food
    that did not come is the driver's, unless he has proof that it did, or there was no delivery.
    All else (a stolen card, a charge made twice) is nobody's doing who earned by the order: the
    platform's.
    """
    if reason == "product_unacceptable":
        return Bearer.PLATFORM if of_tip else Bearer.CHEF
    if reason == "product_not_received" and delivered and not proven:
        return Bearer.DRIVER
    return Bearer.PLATFORM


def reminder_due(due_by: datetime, now: datetime) -> timedelta | None:
    """The latest reminder whose moment has come: how long before the end it belongs."""
    come = [before for before in REMINDERS if due_by - before <= now < due_by]
    return min(come, default=None)


def next_reminder(due_by: datetime, now: datetime) -> datetime | None:
    """When ops is to be reminded next."""
    return min((due_by - before for before in REMINDERS if due_by - before > now), default=None)


def next_try(due_by: datetime, now: datetime) -> datetime:
    """When evidence that Stripe has refused is to be sent again."""
    return now + (_SEND_AGAIN_SOON if due_by - now <= _NEAR else _SEND_AGAIN)
