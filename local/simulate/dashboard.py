"""The evening in a terminal as it goes on; where there is none, a line now and then."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from domain.order_status import OrderStatus
from local.simulate.clock import hands
from local.simulate.glance import Glance
from local.simulate.scenario import Scenario

_LINE_EVERY = 5.0
_STATES = [status.value for status in OrderStatus][:10]
_OFFERS = ("offered", "accepted", "declined", "expired", "cancelled")
_DOING = ("idle", "busy", "silent", "off duty")


class Dashboard:
    """What is shown while an evening goes on."""

    def __init__(self, scenario: Scenario, console: Console) -> None:
        self._scenario = scenario
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._before: tuple[float, int] | None = None
        self._line_due = 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, seen: Glance) -> None:
        """The evening is like this now."""
        now = time.monotonic()
        if self._live:
            self._live.update(self._panel(seen, self._rate(now, seen)), refresh=True)
        elif now >= self._line_due:
            self._line_due = now + _LINE_EVERY
            self._console.print(self._line(seen, self._rate(now, seen)), soft_wrap=True)

    def _rate(self, now: float, seen: Glance) -> float:
        """Requests a second since the last time."""
        before, self._before = self._before, (now, seen.requests)
        if before is None or now <= before[0]:
            return 0.0
        return (seen.requests - before[1]) / (now - before[0])

    def _line(self, seen: Glance, rate: float) -> str:
        orders = " ".join(f"{name} {seen.orders[name]}" for name in _STATES if name in seen.orders)
        return (
            f"{hands(seen.at)}  {orders or 'no orders'}"
            f" | offers {_counts(seen.offers, _OFFERS)} | drivers {_counts(seen.doing, _DOING)}"
            f" | door p50 {seen.p50:.0f} p90 {seen.p90:.0f} min | {rate:.0f} requests/s,"
            f" lag {seen.lag * 1000:.0f} ms | {_verdict(seen)}"
        )

    def _panel(self, seen: Glance, rate: float) -> Panel:
        scenario = self._scenario
        tables = Table.grid(expand=True, padding=(0, 2))
        tables.add_row(
            _table("orders", seen.orders, _STATES),
            _table("offers", seen.offers, _OFFERS),
            _table("drivers", seen.doing, _DOING),
        )
        figures = Text.from_markup(
            f"click to door  p50 [bold]{seen.p50:.0f}[/] min  p90 [bold]{seen.p90:.0f}[/] min\n"
            f"{rate:.0f} requests/s, half of them answered within {seen.answer * 1000:.0f} ms\n"
            f"lag {seen.lag * 1000:.0f} ms of ours, {seen.lag * scenario.speed:.1f} s of the"
            f" city's (99 of 100 less)"
        )
        verdict = Text(_verdict(seen), style="bold red" if seen.violations else "bold green")
        bar = ProgressBar(total=scenario.lasts, completed=min(seen.at, scenario.lasts))
        return Panel(
            Group(bar, tables, figures, verdict),
            title=f"{hands(seen.at)} of {hands(scenario.lasts)}, {scenario.speed:g} times as fast,"
            f" policy {scenario.policy}, seed {scenario.seed}",
        )


def _table(title: str, counts: Mapping[str, int], names: list[str] | tuple[str, ...]) -> Table:
    table = Table(title=title, show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name in names:
        table.add_row(name, str(counts.get(name, 0)))
    return table


def _counts(counts: Mapping[str, int], names: tuple[str, ...]) -> str:
    return " ".join(f"{name} {counts[name]}" for name in names if counts.get(name)) or "none"


def _verdict(seen: Glance) -> str:
    if not seen.violations:
        return "invariants hold"
    first = seen.violations[0]
    return f"{len(seen.violations)} violations: {first.rule}: {first.words}"
