"""What is said about payouts and the runs that make them. Amounts in cents, moments UTC."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from domain.payees import PayeeKind
from domain.payouts import Outcome, PayoutStatus, cut_off
from schema.messages.base import Message


class Terms(Message):
    """The rules of a market's payouts of one day: whatever is booked before the cut-off is paid,
    in the market's currency, to those to whom at least the minimum is owed.
    """

    market: str
    day: date
    currency: str
    cut_off: datetime
    minimum_cents: int


class MarketPayouts(Message):
    """How a market's payees are paid, whatever the day."""

    market: str
    timezone: str
    currency: str
    minimum_cents: int
    parallel: int

    def run(self, day: date) -> "RunStart":
        """The run that pays what was owed at the end of a day."""
        terms = Terms(
            market=self.market,
            day=day,
            currency=self.currency,
            cut_off=cut_off(day, self.timezone),
            minimum_cents=self.minimum_cents,
        )
        return RunStart(terms=terms, parallel=self.parallel)


class PayoutStart(Message):
    """A payee to be paid. `run_id` is the workflow of the run that asks, if one does."""

    terms: Terms
    kind: PayeeKind
    payee_id: UUID
    run_id: str | None = None


class Payout(Message):
    """A payout as its row says it stands."""

    id: UUID
    kind: PayeeKind
    payee_id: UUID
    day: date
    currency: str
    cents: int
    account_id: str
    status: PayoutStatus
    transfer_id: str | None = None
    payout_id: str | None = None


class Claimed(Message):
    """What was set aside for a payee, or why nothing was; `taken_up` if that was done before."""

    outcome: Outcome
    payout: Payout | None = None
    taken_up: bool = False


class PayoutStep(Message):
    """A payout to be moved on. `tried` counts the tries of this step so far, `refused_before` those
    that Stripe has refused.
    """

    payout: Payout
    tried: int = 0
    refused_before: int = 0


class Hold(Message):
    """An admin stops or resumes the payouts of a payee, and says why."""

    kind: PayeeKind
    payee_id: UUID
    admin_id: UUID
    reason: str
    held: bool
    key: str


class PayoutTrouble(Message):
    """A payout that does not get on: what could not be done, and why. Told once a day."""

    payout: Payout
    what: str
    reason: str
    balance_short: bool
    at: datetime


class PayoutChanged(Message):
    """Stripe says that what was sent to a bank stands otherwise (it is asked how)."""

    payout_id: str


class PayoutView(Message):
    """The answer to a `status` query of a payout."""

    outcome: Outcome | None
    payout: Payout | None
    held: bool
    waiting_for: str


class Progress(Message):
    """How far a run has come: how many payees it has begun with, and what became of them."""

    begun: int = 0
    outcomes: dict[Outcome, int] = Field(default_factory=dict)
    cents: int = 0
    finished: bool = False


class RunStart(Message):
    """A payout run, from the beginning or (after continuing as new) from where it was.

    `parallel` payees are paid at once, and so many `to_a_history` before it continues as new.
    While `resuming`, it looks after payouts that earlier runs left open.
    """

    terms: Terms
    parallel: int = 50
    to_a_history: int = 500
    resuming: bool = True
    after: UUID | None = None
    progress: Progress = Progress()


class PayeesDue(Message):
    """A question for those to whom something is owed, in the order of their ids (`after` one).

    While `resuming`, for those payouts that are not settled, in the order of theirs.
    """

    terms: Terms
    resuming: bool
    after: UUID | None
    limit: int


class DuePayee(Message):
    """Somebody to be paid: a payee, or (`id` being a payout's) one whose payout is open."""

    id: UUID
    kind: PayeeKind
    payee_id: UUID
    day: date
    cents: int


class Rested(Message):
    """A payout says that its run need not wait for it any more."""

    payee_id: UUID
    day: date
    outcome: Outcome
    cents: int
