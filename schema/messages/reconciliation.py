"""What is said while Stripe's balance transactions are held against the books. Amounts in cents."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.reconciliation import Remedy
from schema.messages.base import Message


class Patience(Message):
    """When something counts as missing.

    A run reads again what is `overlap` older than the last one's end: Stripe may write some of it
    late. `transaction` is how long a transaction may wait to be heard of by webhook, `movement` how
    long a movement may wait for its transaction.
    """

    overlap: timedelta = timedelta(days=3)
    transaction: timedelta = timedelta(minutes=10)
    movement: timedelta = timedelta(days=2)


class Run(Message):
    """A run, and from which transactions on it reads; None: all there are."""

    id: UUID
    started_at: datetime
    since: datetime | None = None


class Beginning(Message):
    """A run that is to begin."""

    id: UUID
    started_at: datetime
    overlap: timedelta


class PageAsk(Message):
    """Which page of transactions is to be read: the one `after` that transaction, or the first."""

    run: Run
    after: str | None = None


class AtStripe(Message):
    """What is on the balance at Stripe, pending and available, by currency, in cents."""

    cents: dict[str, int]


class PageRead(Message):
    """What was on a page. `next` is where the following one begins; None: that was all.

    The first also tells what is on the balance with its transactions and all earlier ones, and when
    the latest was made. There is no such balance while transactions come faster than one can look.
    """

    count: int
    next: str | None
    until: datetime | None = None
    balance: AtStripe | None = None


class Judging(Message):
    """What is to be judged: everything that has no counterpart by now."""

    run: Run
    patience: Patience


class Untold(Message):
    """A case that an order can set right, if it is told."""

    case_id: UUID
    order_id: UUID
    remedy: Remedy
    amount_cents: int
    payment_intent_id: str
    source_id: str


class Told(Message):
    """A case whose order was told."""

    case_id: UUID
    remedy: Remedy


class Finishing(Message):
    """What a run has read, for its report."""

    run: Run
    seen: int
    until: datetime | None
    balance: AtStripe | None


class CurrencyReport(Message):
    """What is on stripe_clearing, and on the balance at Stripe (pending and available; None where
    it could not be told), when the run ended.

    `unmatched_cents` is what is open on either side and explains a difference: movements without a
    transaction, less transactions (net) without a movement. `fees_cents` were booked by this run.
    """

    currency: str
    clearing_cents: int
    stripe_cents: int | None
    unmatched_cents: int
    fees_cents: int

    @property
    def difference_cents(self) -> int:
        """What nothing explains; nothing where Stripe's side is not known."""
        if self.stripe_cents is None:
            return 0
        return self.clearing_cents - self.stripe_cents - self.unmatched_cents


class RunReport(Message):
    """What came of a run."""

    run: Run
    until: datetime | None
    seen: int
    matched: int
    opened: int
    open_cases: int
    balances: list[CurrencyReport]


class Progress(Message):
    """How far a run is: what it hands on when it continues as new, and shows who asks."""

    run: Run
    seen: int = 0
    next: str | None = None
    all_read: bool = False
    until: datetime | None = None
    balance: AtStripe | None = None


class Reconciling(Message):
    """What a run begins with, or goes on with; it continues as new every so many pages."""

    patience: Patience = Patience()
    pages_per_history: int = 200
    progress: Progress | None = None
