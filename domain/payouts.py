"""When payees are paid, and how a payout stands (DESIGN.md, Money; seed 000, Chef Payout)."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class PayoutStatus(StrEnum):
    """How far a payout has come.

    claimed      its earnings are set aside for it; nothing has moved
    transferred  on the payee's account at Stripe
    in_transit   on the way to his bank
    paid         in his bank, as far as the bank has said
    returning    the bank did not take it: it is being fetched back
    failed       it came back, and its earnings are owed again
    """

    CLAIMED = "claimed"
    TRANSFERRED = "transferred"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    RETURNING = "returning"
    FAILED = "failed"


# Nothing is left to be done, unless the bank changes its mind.
SETTLED = frozenset({PayoutStatus.PAID, PayoutStatus.FAILED})


class Outcome(StrEnum):
    """What became of a payee in a payout run.

    under_way and waiting are said of payouts that go on after the run: on the way to the bank, and
    held up (by Stripe's balance, say).
    """

    NOTHING_DUE = "nothing_due"
    HELD = "held"
    NOT_PAYABLE = "not_payable"
    UNDER_WAY = "under_way"
    WAITING = "waiting"
    PAID = "paid"
    FAILED = "failed"


def cut_off(day: date, timezone: str) -> datetime:
    """The end of a day where the market is, in UTC: what was booked before is paid for the day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
    return midnight.astimezone(UTC)


def latest_day(now: datetime, timezone: str) -> date:
    """The last day that is over where the market is."""
    return now.astimezone(ZoneInfo(timezone)).date() - timedelta(days=1)
