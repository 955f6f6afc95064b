"""`statement`: what a payee earned and was paid in a month, line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.audit import Entry
from domain.ledger import Event, payable
from domain.payouts import PayoutStatus
from finance.printing import money, table
from finance.records import Records
from schema.database import Database
from schema.messages.books import PayoutRow
from schema.messages.payees import PayeeRef
from schema.queries import books as queries
from schema.queries.books import Tip
from settings import Market

_WORDS = {
    Event.EARNED: "earning",
    Event.CANCELLED: "earning, order cancelled",
    Event.TIP: "tip",
    Event.BONUS: "bonus",
    Event.REFUND: "refund to the customer",
    Event.REFUND_FAILED: "refund that failed",
    Event.DISPUTE_LOST: "dispute lost",
    Event.PAYOUT_PAID: "payout",
    Event.PAYOUT_RETURNED: "payout sent back by the bank",
}
_STATUS = {
    PayoutStatus.CLAIMED: "set aside",
    PayoutStatus.TRANSFERRED: "on the way",
    PayoutStatus.IN_TRANSIT: "on the way",
    PayoutStatus.RETURNING: "not taken by the bank",
    PayoutStatus.PAID: "paid",
    PayoutStatus.FAILED: "not taken by the bank, owed again",
}
_HEADS = ("date", "what", "about", "amount", "balance")
_PAYOUT_HEADS = ("payout for", "amount", "status")


@dataclass(frozen=True)
class Line:
    """Something booked: so many cents more are owed to the payee, and what is owed then."""

    day: date
    what: str
    about: str
    cents: int
    balance_cents: int


@dataclass(frozen=True)
class Statement:
    """A payee's month in one currency. What is owed at its end is `closing_cents`.

    `payouts` are those that were made in it, or that lines are about, as they stand now.
    """

    account: str
    name: str
    month: date
    currency: str
    timezone: str
    opening_cents: int
    lines: Sequence[Line]
    payouts: Sequence[PayoutRow]

    @property
    def closing_cents(self) -> int:
        """What was owed to him when the month was over."""
        return self.opening_cents + sum(line.cents for line in self.lines)

    @property
    def file_name(self) -> str:
        """What its files are called, without what kind they are."""
        whose = self.account.replace(":", "-")
        return f"statement-{whose}-{self.month:%Y-%m}-{self.currency}"


async def statements(
    database: Database, ref: PayeeRef, month: date, markets: Mapping[str, Market]
) -> list[Statement]:
    """A payee's month by his market's clock, a statement for each currency that he earned in."""
    account = payable(ref.kind, ref.payee_id)
    async with database.snapshot() as session:
        records = Records(await queries.books_of(session, [account]))
        orders = {m.order_id for m in records.books.movements if m.order_id is not None}
        tips = await queries.tips(session, orders)
    currencies = {p.currency for p in records.books.postings if p.account == account}
    return [
        _Clerk(records, account, currency, tips).statement(month, markets)
        for currency in sorted(currencies)
    ]


def payout_lines(statement: Statement) -> list[tuple[str, str, str]]:
    """Its payouts: for which day, how much, and how it stands."""
    return [
        (
            str(row.day),
            money(row.cents, row.currency),
            _STATUS[row.status] + (f" ({row.failure})" if row.failure else ""),
        )
        for row in statement.payouts
    ]


def rows(statement: Statement) -> list[tuple[str, str, str, str, str]]:
    """Its lines with the balances before and after them, as people read them."""
    currency = statement.currency
    return [
        ("", "opening balance", "", "", money(statement.opening_cents, currency)),
        *(
            (
                str(line.day),
                line.what,
                line.about,
                money(line.cents, currency),
                money(line.balance_cents, currency),
            )
            for line in statement.lines
        ),
        ("", "closing balance", "", "", money(statement.closing_cents, currency)),
    ]


def show(statement: Statement) -> str:
    """The statement as a terminal shows it."""
    lines = [
        f"{statement.name} ({statement.account}), {statement.month:%B %Y}, {statement.timezone}",
        "",
        table(_HEADS, rows(statement), (3, 4)),
    ]
    if statement.payouts:
        lines += ["", table(_PAYOUT_HEADS, payout_lines(statement), (1,))]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Clerk:
    """Writes the statements of one account."""

    records: Records
    account: str
    currency: str
    tips: Mapping[UUID, Tip]

    def statement(self, month: date, markets: Mapping[str, Market]) -> Statement:
        """What there is to be said of a month."""
        entries = self.records.entries(self.account, self.currency)
        whose = self.records.account(self.account)
        latest = next((entry.market for entry in reversed(entries) if entry.market), None)
        market = markets.get((whose.market if whose else None) or latest or "")
        timezone = (market or next(iter(markets.values()))).timezone
        zone = ZoneInfo(timezone)
        begins, ends = _begins(month, zone), _begins(_next(month), zone)
        opening = sum(entry.cents for entry in entries if entry.booked_at < begins)
        of_month = [entry for entry in entries if begins <= entry.booked_at < ends]
        lines, balance = list[Line](), opening
        for entry in of_month:
            for what, cents in self._parts(entry):
                balance += cents
                day = entry.booked_at.astimezone(zone).date()
                lines.append(Line(day, what, self._about(entry), cents, balance))
        paid = {self.records.of_entry(entry.id).payout_id for entry in of_month}
        return Statement(
            account=self.account,
            name=whose.name if whose else "",
            month=month,
            currency=self.currency,
            timezone=timezone,
            opening_cents=opening,
            lines=lines,
            payouts=[
                row
                for row in self.records.payouts(self.account, self.currency)
                if begins <= row.created_at < ends or row.id in paid
            ],
        )

    def _about(self, entry: Entry) -> str:
        movement = self.records.of_entry(entry.id)
        if movement.payout_id is None:
            return movement.order_number or movement.note or ""
        rows = self.records.payouts(self.account, self.currency)
        return next((f"for {row.day}" for row in rows if row.id == movement.payout_id), "")

    def _parts(self, entry: Entry) -> Sequence[tuple[str, int]]:
        """What is said of it, and cents; a driver's earning and his tip are two."""
        what = _WORDS.get(entry.event, entry.event.value.replace("_", " "))
        order_id = self.records.of_entry(entry.id).order_id
        tip = self.tips.get(order_id) if order_id and self.account.startswith("driver:") else None
        # A bill that was changed after it was booked says nothing of what was booked.
        if entry.event is not Event.EARNED or tip is None or tip.earning_cents != entry.cents:
            return [(what, entry.cents)]
        parts = [(what, entry.cents - tip.tip_cents), ("tip", tip.tip_cents)]
        return [part for part in parts if part[1]]


def _begins(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
