"""What is said about those whom we pay, and their accounts at Stripe."""

from datetime import datetime
from uuid import UUID

from domain.notifications import PayeeAlert
from domain.payees import PayeeKind
from schema.messages.base import Message


class PayeeRef(Message):
    """Which chef or driver."""

    kind: PayeeKind
    payee_id: UUID


class FindAccount(PayeeRef):
    """The account of a payee is to be looked at, and made where there is none.

    `refused_before` counts how often Stripe has refused that.
    """

    refused_before: int = 0


class Account(Message):
    """A payee's account as it stands at Stripe. `onboarded_at` is when he could first be paid."""

    id: str
    details_submitted: bool
    payouts_enabled: bool
    requirements_due: list[str]
    disabled_reason: str | None
    onboarded_at: datetime | None
    created_at: datetime

    @property
    def can_be_paid(self) -> bool:
        """Whether money that is sent there arrives."""
        return self.details_submitted and self.payouts_enabled

    @property
    def waits_for_payee(self) -> bool:
        """Whether Stripe needs something that only the payee can give."""
        return not self.details_submitted or bool(self.requirements_due)


class LinkAsk(Message):
    """Where Stripe sends the payee: when he is through, and when a link was used up or too old."""

    return_url: str
    refresh_url: str


class OpenLink(LinkAsk):
    """A page of Stripe's that is to be opened for the owner of an account."""

    account_id: str


class Link(Message):
    """A page of Stripe's, for one visit before it expires."""

    url: str
    expires_at: datetime


class OnboardingLink(Link):
    """Where a payee gives Stripe his details, and how his account stood before that."""

    account: Account


class AccountUpdated(Message):
    """Stripe says that an account stands otherwise now (it is asked how: this may be stale)."""

    account_id: str


class PayeeNews(PayeeRef):
    """Something worth telling a payee; `key` keeps it from being told twice."""

    alert: PayeeAlert
    key: str
    reason: str | None = None
