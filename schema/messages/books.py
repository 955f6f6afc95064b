"""What the books, payouts and Stripe say, as finance reads and keeps it. Cents, moments UTC."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from domain.ledger import Event
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from schema.messages.base import Message


class BookedAccount(Message):
    """A payee's account in the ledger, whose it is, and his kitchen's market if he is a chef."""

    code: str
    payee_kind: PayeeKind
    payee_id: UUID
    name: str = ""
    market: str | None = None


class BookedMovement(Message):
    """A movement, and the order that it belongs to."""

    id: UUID
    key: str
    event: Event
    order_id: UUID | None = None
    order_number: str | None = None
    market: str | None = None
    payout_id: UUID | None = None
    stripe_id: str | None = None
    note: str | None = None
    booked_at: datetime


class BookedPosting(Message):
    """A posting of a movement: a debit is positive."""

    id: UUID
    movement_id: UUID
    account: str
    currency: str
    amount_cents: int


class PayoutRow(Message):
    """A payout as its row says it stands."""

    id: UUID
    payee_kind: PayeeKind
    payee_id: UUID
    market: str
    day: date
    currency: str
    cents: int
    status: PayoutStatus
    account_id: str
    transfer_id: str | None = None
    stripe_payout_id: str | None = None
    reversal_id: str | None = None
    failure: str | None = None
    created_at: datetime
    transferred_at: datetime | None = None
    settled_at: datetime | None = None


class ItemRow(Message):
    """A posting that a payout pays, or paid until it came back."""

    payout_id: UUID
    posting_id: UUID
    released_at: datetime | None = None


class Books(Message):
    """All that is written down about some payees."""

    accounts: list[BookedAccount] = Field(default_factory=list)
    movements: list[BookedMovement] = Field(default_factory=list)
    postings: list[BookedPosting] = Field(default_factory=list)
    payouts: list[PayoutRow] = Field(default_factory=list)
    items: list[ItemRow] = Field(default_factory=list)


class StripeTransfer(Message):
    """Money that Stripe moved to a payee's account; `group` is the payout that it is for."""

    id: str
    amount_cents: int
    reversed_cents: int
    currency: str
    group: str | None = None


class StripeSent(Message):
    """Money that Stripe sent to a payee's bank; `reference` is the payout that it is for."""

    id: str
    amount_cents: int
    currency: str
    status: str
    reference: str | None = None


class AtStripe(Message):
    """What Stripe says of a payout: what names it, and what names none and came after it."""

    payout_id: UUID
    transfers: list[StripeTransfer] = Field(default_factory=list)
    sent: list[StripeSent] = Field(default_factory=list)


class Sum(Message):
    """What an account comes to in a currency; credits are below nothing."""

    account: str
    currency: str
    debit_cents: int
    credit_cents: int

    @property
    def balance_cents(self) -> int:
        """Debits less credits."""
        return self.debit_cents + self.credit_cents


class Crooked(Message):
    """A movement that is not whole, and what is wrong with it."""

    key: str
    wrong: str
