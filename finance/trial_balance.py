"""`trial-balance`: all accounts, and whether debits and credits come to the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from finance.printing import money, table
from finance.problems import DIFFERENT, OK
from schema.database import Database
from schema.messages.books import Crooked, Sum
from schema.queries import books

_HEADS = ("account", "debit", "credit", "balance")
_AMOUNTS = (1, 2, 3)


@dataclass(frozen=True)
class Balance:
    """What all accounts came to before a moment, and the movements that are not whole."""

    at: datetime
    sums: Sequence[Sum]
    crooked: Sequence[Crooked]

    @property
    def off(self) -> dict[str, int]:
        """By how many cents debits and credits differ, by currency; nothing where they agree."""
        total = {one.currency: 0 for one in self.sums}
        for one in self.sums:
            total[one.currency] += one.balance_cents
        return {currency: cents for currency, cents in total.items() if cents}

    @property
    def status(self) -> int:
        """The exit status."""
        return DIFFERENT if self.off or self.crooked else OK


async def trial_balance(database: Database, at: datetime) -> Balance:
    """Read all accounts."""
    # In one transaction: sums and movements are of the same moment.
    async with database.snapshot() as session:
        return Balance(at, await books.sums(session, at), await books.crooked(session, at))


def show(balance: Balance) -> str:
    """The trial balance as a terminal shows it."""
    lines = [f"Trial balance before {balance.at:%Y-%m-%d %H:%M:%S} UTC"]
    for currency in sorted({one.currency for one in balance.sums}):
        of_it = [one for one in balance.sums if one.currency == currency]
        rows = [
            (one.account, *_amounts(one.debit_cents, one.credit_cents, currency)) for one in of_it
        ]
        debit, credit = (sum(getattr(o, f"{s}_cents") for o in of_it) for s in ("debit", "credit"))
        rows.append(("total", *_amounts(debit, credit, currency)))
        lines += ["", table(_HEADS, rows, _AMOUNTS)]
    if not balance.sums:
        lines += ["", "Nothing is booked."]
    lines += [
        "",
        *(f"{one.key} {one.wrong}" for one in balance.crooked),
        *(
            f"Debits and credits differ by {money(cents, currency)}."
            for currency, cents in balance.off.items()
        ),
    ]
    if balance.status == OK:
        lines.append("Debits and credits come to the same, in every movement and in all.")
    return "\n".join(lines)


def _amounts(debit: int, credit: int, currency: str) -> tuple[str, str, str]:
    return money(debit, currency), money(-credit, currency), money(debit + credit, currency)
