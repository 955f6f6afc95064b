"""Amounts, tables and progress, as a terminal shows them."""

import sys
from collections.abc import Sequence

# Stripe's currencies whose smallest unit is the whole one.
# https://docs.stripe.com/currencies#zero-decimal
_WHOLE = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)


def money(cents: int, currency: str) -> str:
    """An amount in a currency's smallest unit, as people write it: 160100 usd is 1,601.00 USD."""
    sign, cents = "-" if cents < 0 else "", abs(cents)
    whole = f"{cents:,}" if currency in _WHOLE else f"{cents // 100:,}.{cents % 100:02}"
    return f"{sign}{whole} {currency.upper()}"


def decimal(cents: int, currency: str) -> str:
    """The same as programs read it: 1601.00."""
    return money(cents, currency).partition(" ")[0].replace(",", "")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """Aligned columns under their heads; those with the numbers in `right` to the right."""
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(heads), line(["-" * width for width in widths]), *map(line, rows)])


class Progress:
    """How far something long has come, on standard error: one line that changes, if it can."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0

    def step(self, number: int) -> None:
        """So many more are done."""
        self._done += number
        words = f"{self._what}: {self._done} of {self._total}"
        if sys.stderr.isatty():
            end = "\n" if self._done == self._total else ""
            print(f"\r{words}", end=end, file=sys.stderr, flush=True)
        elif number < self._total:
            print(words, file=sys.stderr, flush=True)
