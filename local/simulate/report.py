"""The evening on one page of HTML that needs nothing from elsewhere."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from domain.order_status import ENDED, OrderStatus
from local.simulate import figures
from local.simulate.evening import Outcome
from schema.tables import OrderStatusHistory

S = OrderStatus

_STEP_MINUTES = 1.0
_ALONG = (
    S.PENDING,
    S.PAYMENT_CONFIRMED,
    S.ACCEPTED,
    S.PREPARING,
    S.READY_FOR_PICKUP,
    S.ASSIGNED_TO_DRIVER,
    S.PICKED_UP,
    S.IN_TRANSIT,
)
_LAYOUT = {
    "template": "plotly_white",
    "height": 420,
    "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
}
_CONFIG = {"displaylogo": False, "responsive": True}

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse }} td {{ padding: .1em 1.5em .1em 0; vertical-align: top }}
td + td {{ font-variant-numeric: tabular-nums }}
.holds {{ color: #17803d }} .broken {{ color: #b91c1c; font-weight: bold }}
</style></head><body>
<h1>{title}</h1>
{tables}
{plots}
<h2>summary.json</h2><details><summary>everything</summary><pre>{everything}</pre></details>
</body></html>
"""


def write(outcome: Outcome, summary: Mapping[str, Any], folder: Path) -> Path:
    """Leave report.html and summary.json in a folder; answers with where the report is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    report = folder / "report.html"
    report.write_text(page(outcome, summary))
    return report


def page(outcome: Outcome, summary: Mapping[str, Any]) -> str:
    """The page."""
    scenario = outcome.scenario
    plots = [
        figure.to_html(full_html=False, include_plotlyjs=number == 0, config=_CONFIG)
        for number, figure in enumerate(_figures(outcome))
    ]
    return _PAGE.format(
        title=f"{scenario.orders_per_hour:g} orders an hour, {scenario.drivers} drivers,"
        f" policy {escape(scenario.policy)}, seed {scenario.seed}",
        tables=_key_figures(summary) + _invariants(summary),
        plots="\n".join(plots),
        everything=escape(json.dumps(summary, indent=2)),
    )


def _figures(outcome: Outcome) -> list[go.Figure]:
    return [
        _orders_over_time(outcome),
        _histogram(
            "Click to door", "minutes", {"delivered orders": figures.click_to_door(outcome)}
        ),
        _histogram(
            "Food ready, and not picked up", "minutes", {"": figures.ready_to_pickup(outcome)}
        ),
        _offer_outcomes(outcome),
        _drivers_over_time(outcome),
        _histogram(
            "Utilisation: share of the evening with an order in hand or ahead",
            "share",
            {"drivers": list(figures.busy_shares(outcome).values())},
        ),
        _histogram(
            "Earnings",
            "dollars",
            {"drivers": [cents / 100 for cents in figures.earnings(outcome.evidence).values()]},
        ),
        _histogram(
            "ETA error: actual minus promised",
            "minutes",
            {
                "promised when placed": figures.eta_minutes(outcome, "promised_at_placing"),
                "promised at pickup": figures.eta_minutes(outcome, "promised_at_pickup"),
            },
        ),
        _map(outcome),
    ]


def _orders_over_time(outcome: Outcome) -> go.Figure:
    """How many orders were in which state, minute by minute; ended ones are left out."""
    changes: dict[OrderStatus, Counter[int]] = {state: Counter() for state in _ALONG}
    before: OrderStatusHistory | None = None
    for step in outcome.evidence.steps:
        minute = int(outcome.clock.at(step.created_at) / 60 / _STEP_MINUTES)
        if before is not None and before.order_id == step.order_id and before.status in changes:
            changes[before.status][minute] -= 1
        if step.status not in ENDED and step.status in changes:
            changes[step.status][minute] += 1
        before = step
    last = int(outcome.ended_at / 60 / _STEP_MINUTES) + 1
    figure = go.Figure()
    for state in _ALONG:
        there, line = 0, []
        for minute in range(last + 1):
            there += changes[state][minute]
            line.append(there)
        figure.add_scatter(
            x=[minute * _STEP_MINUTES for minute in range(last + 1)],
            y=line,
            name=state.value,
            stackgroup="orders",
            mode="lines",
        )
    for kill in outcome.diary.kills:
        figure.add_vline(x=kill["minute"], line_dash="dot", annotation_text=kill["server"])
    return _titled(figure, "Orders by state", "minute of the evening", "orders")


def _histogram(title: str, unit: str, series: Mapping[str, Sequence[float]]) -> go.Figure:
    figure = go.Figure()
    for name, values in series.items():
        figure.add_histogram(x=list(values), name=name, opacity=0.75, nbinsx=60)
    figure.update_layout(barmode="overlay", showlegend=len(series) > 1)
    return _titled(figure, title, unit, "")


def _offer_outcomes(outcome: Outcome) -> go.Figure:
    found = figures.outcomes(outcome.evidence)
    figure = go.Figure(go.Bar(x=list(found), y=list(found.values())))
    return _titled(figure, "What became of offers", "", "offers")


def _drivers_over_time(outcome: Outcome) -> go.Figure:
    figure = go.Figure()
    for doing in ("busy", "idle", "silent", "off duty"):
        figure.add_scatter(
            x=[sample.at / 60 for sample in outcome.diary.samples],
            y=[sample.doing[doing] for sample in outcome.diary.samples],
            name=doing,
            stackgroup="drivers",
            mode="lines",
        )
    return _titled(figure, "What drivers were doing", "minute of the evening", "drivers")


def _map(outcome: Outcome) -> go.Figure:
    """The drives, as degrees: there are no streets."""
    figure = go.Figure()
    for name, track in outcome.tracks.items():
        places = [track.at(0.0), *(leg.destination for leg in track.legs)]
        figure.add_scatter(
            x=[place.longitude for place in places],
            y=[place.latitude for place in places],
            name=name,
            mode="lines",
            opacity=0.45,
            line={"width": 1},
        )
    orders = outcome.evidence.orders
    for name, kind, colour, symbol in (
        ("doors", "delivery", "#1d4ed8", "circle"),
        ("kitchens", "pickup", "#b91c1c", "square"),
    ):
        figure.add_scatter(
            x=[getattr(order, f"{kind}_longitude") for order in orders],
            y=[getattr(order, f"{kind}_latitude") for order in orders],
            name=name,
            mode="markers",
            marker={"size": 9 if kind == "pickup" else 4, "color": colour, "symbol": symbol},
        )
    _titled(figure, "Routes", "longitude", "latitude")
    figure.update_layout(height=800)
    figure.update_yaxes(scaleanchor="x", scaleratio=1.16)
    return figure


def _titled(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    figure.update_layout(**_LAYOUT, title=title)
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    return figure


def _key_figures(summary: Mapping[str, Any]) -> str:
    door, offers, drivers = summary["clickToDoor"], summary["offers"], summary["drivers"]
    requests, earned = summary["requests"], drivers["earnedCents"]
    lag, speed = summary["lagSeconds"], summary["scenario"]["speed"]
    rows = {
        "orders": ", ".join(f"{n} {state}" for state, n in summary["orders"]["byStatus"].items()),
        "click to door": f"mean {door['mean']}, p50 {door['p50']}, p90 {door['p90']} min,"
        f" {door['over60']} over 60 min",
        "food ready to picked up": f"mean {summary['readyToPickup']['mean']},"
        f" p90 {summary['readyToPickup']['p90']} min",
        "drivers at the kitchen": f"waited {summary['waitingAtKitchen']['mean']} min,"
        f" p90 {summary['waitingAtKitchen']['p90']}; {summary['hadDriverWhenReady']} of the orders"
        " had a driver when their food was ready",
        "offers": f"{offers['made']}, acceptance {offers['acceptance']}",
        "drivers busy": f"{drivers['utilisation']} of the time on duty",
        "drivers earned": f"median {earned['p50']} cents, one in ten less than {earned['p10']},"
        f" one in ten more than {earned['p90']} (Gini {earned['gini']})",
        "ETA error": "; ".join(_eta(name, found) for name, found in summary["eta"].items()),
        "requests": f"{requests['sent']}, {requests['perSecond']} a second,"
        f" answered in {requests['p50Ms']} ms (99 of 100: {requests['p99Ms']})",
        "cores": ", ".join(f"{name} {cores}" for name, cores in summary["cores"].items()),
        "lag of the actors' clock": f"p99 {lag['p99']} s, at most {lag['max']} s of ours"
        f" ({lag['max'] * speed:.1f} s of the city's)",
    }
    return "<table>{}</table>".format(
        "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in rows.items())
    )


def _eta(name: str, found: Mapping[str, float] | None) -> str:
    if found is None:
        return f"{name}: none"
    return (
        f"{name}: median {found['median']}, 8 of 10 between {found['low']} and {found['high']} min,"
        f" {found['withinFive']} within 5"
    )


def _invariants(summary: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><td>{escape(rule)}</td><td class="{"broken" if times else "holds"}">'
        f"{f'{times} times not' if times else 'holds'}</td></tr>"
        for rule, times in summary["invariants"].items()
    )
    words = "".join(f"<li>{escape(violation)}</li>" for violation in summary["violations"])
    return f"<h2>What must hold</h2><table>{rows}</table><ul>{words}</ul>"
