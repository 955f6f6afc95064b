"""What clients send and get about earnings, payouts and the books. Amounts in cents."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from fastapi.responses import Response
from pydantic import Field, StrictBool

from api import examples
from api.bodies import Body, Words
from api.dependencies import Paging
from api.examples import shown
from api.views import Item, Moment, Page
from domain.ledger import Event
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from schema.messages.base import Message
from schema.queries.earnings import UNPAID, Balance, Booked, Earning, PayoutView, Sum


class RunPayoutsBody(Body):
    """A day whose payouts are to be made: of one market, or of all; and why, for the log."""

    model_config = shown(
        {"date": "2026-01-31", "market": "austin", "reason": "the night's run was paused"}
    )

    date: date
    market: str | None = None
    reason: Words | None = None


class HoldBody(Body):
    """Whether a payee's payouts are stopped, and why."""

    model_config = shown({"held": True, "reason": "asks for another bank account"})

    held: StrictBool
    reason: Words


class ReverseBody(Body):
    """Why a movement is reversed."""

    model_config = shown({"reason": "The order was delivered to the wrong door."})

    reason: Words


class EarningOut(Message):
    """Something earned by an order, or (below nothing) owed for it; `payoutStatus` is `unpaid`
    until a payout has it.
    """

    model_config = shown(examples.EARNING)

    id: UUID
    order_id: UUID | None
    order_number: str | None
    event: Event
    earning_cents: int
    currency: str
    payout_id: UUID | None
    payout_status: str
    earned_at: Moment


class SumOut(Message):
    """What earnings of a period come to: what is in the bank, on its way, and still owed."""

    currency: str
    earned_cents: int
    paid_cents: int
    in_payout_cents: int
    owed_cents: int


class EarningsOut(Page[EarningOut]):
    """Earnings of a period, the latest first."""

    sums: list[SumOut]


class PayoutOut(Message):
    """A payout and the earnings that it is made of."""

    model_config = shown(examples.PAYOUT)

    id: UUID
    payee_kind: PayeeKind
    payee_id: UUID
    market: str
    date: date
    currency: str
    total_paid_cents: int
    status: PayoutStatus
    failure: str | None
    stripe_transfer_id: str | None
    stripe_payout_id: str | None
    created_at: Moment
    transferred_at: Moment | None
    settled_at: Moment | None
    is_held: bool
    earnings: list[EarningOut]


class PayoutRunOut(Message):
    """A payout run, by the id of its workflow."""

    model_config = shown(examples.PAYOUT_RUN)

    workflow_id: str
    market: str
    date: date


class PayoutStandingOut(Message):
    """How many payouts stand so, and what they come to."""

    status: PayoutStatus
    payouts: int
    cents: int


class PayoutRunStandingOut(Message):
    """How the payouts of a market's day stand."""

    model_config = shown(examples.PAYOUT_STANDING)

    market: str
    date: date
    currency: str
    standings: list[PayoutStandingOut]


class HoldOut(Message):
    """Whether a payee's payouts are stopped, and the payout that is under way, if any."""

    model_config = shown(examples.PAYOUT_HOLD)

    payee_kind: PayeeKind
    payee_id: UUID
    held: bool
    payout_status: PayoutStatus | None


class AccountBalanceOut(Message):
    """What is on an account: debits positive, credits negative."""

    model_config = shown(examples.ACCOUNT_BALANCE)

    account: str
    currency: str
    debit_cents: int
    credit_cents: int
    balance_cents: int


class PostingOut(Message):
    """So many cents on an account: a debit is positive, a credit negative."""

    account: str
    currency: str
    amount_cents: int


class MovementOut(Message):
    """What one event has booked."""

    model_config = shown(examples.MOVEMENT)

    id: UUID
    key: str
    event: Event
    order_id: UUID | None
    payout_id: UUID | None
    stripe_id: str | None
    note: str | None
    booked_at: Moment
    postings: list[PostingOut] = Field(min_length=2)


def page_of(data: list[Item], paging: Paging, total: int) -> Page[Item]:
    """A part of a list."""
    return Page(data=data, page=paging.page, limit=paging.limit, total=total)


def earning(row: Earning) -> EarningOut:
    """An entry of a payee's ledger, for clients."""
    return EarningOut(earned_at=row.booked_at, **_fields(row, EarningOut))


def summed(sums: Iterable[Sum]) -> list[SumOut]:
    """What a payee's earnings come to, currency by currency."""
    by_currency: dict[str, dict[str, int]] = {}
    for one in sums:
        by_currency.setdefault(one.currency, {})[one.payout_status] = one.cents

    def total(currency: str, statuses: dict[str, int]) -> SumOut:
        earned = sum(statuses.values())
        paid, owed = statuses.get(PayoutStatus.PAID, 0), statuses.get(UNPAID, 0)
        return SumOut(
            currency=currency,
            earned_cents=earned,
            paid_cents=paid,
            in_payout_cents=earned - paid - owed,
            owed_cents=owed,
        )

    return [total(currency, statuses) for currency, statuses in by_currency.items()]


def payout(view: PayoutView) -> PayoutOut:
    """A payout, for clients."""
    row = view.payout
    return PayoutOut(
        payee_kind=row.user_type,
        date=row.day,
        is_held=view.is_held,
        earnings=[earning(item) for item in view.items],
        **{
            name: getattr(row, name)
            for name in PayoutOut.model_fields
            if name not in {"payee_kind", "date", "is_held", "earnings"}
        },
    )


def balance(row: Balance) -> AccountBalanceOut:
    """An account, for finance."""
    return AccountBalanceOut(**row._asdict())


def movement(booked: Booked) -> MovementOut:
    """A movement, for finance."""
    row = booked.movement
    return MovementOut(
        postings=[
            PostingOut(account=p.account, currency=p.currency, amount_cents=p.amount_cents)
            for p in booked.postings
        ],
        **{name: getattr(row, name) for name in MovementOut.model_fields if name != "postings"},
    )


def earnings_csv(rows: Sequence[Earning]) -> Response:
    """Earnings as a spreadsheet."""
    head = ("earnedAt", "orderNumber", "event", "earningCents", "currency", "payoutStatus")
    return _csv(
        "earnings.csv",
        head,
        (
            (
                row.booked_at.isoformat(),
                row.order_number or "",
                row.event,
                row.earning_cents,
                row.currency,
                row.payout_status,
            )
            for row in rows
        ),
    )


def payouts_csv(views: Sequence[PayoutView]) -> Response:
    """Payouts as a spreadsheet: a line for each earning that they are made of."""
    head = (
        "date",
        "payoutId",
        "status",
        "totalPaidCents",
        "currency",
        "orderNumber",
        "event",
        "earningCents",
    )
    return _csv(
        "payouts.csv",
        head,
        (
            (
                view.payout.day.isoformat(),
                view.payout.id,
                view.payout.status,
                view.payout.total_paid_cents,
                view.payout.currency,
                item.order_number or "",
                item.event,
                item.earning_cents,
            )
            for view in views
            for item in view.items
        ),
    )


def _fields(row: Earning, out: type[Message]) -> dict[str, object]:
    known = row._asdict()
    return {name: known[name] for name in out.model_fields if name in known}


def _csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows(rows)
    return Response(
        written.getvalue(),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
