"""What an evening comes to, in figures and on a page that needs nothing from elsewhere."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from domain.geo import Point
from domain.order_status import Actor, OrderStatus
from local.simulate import figures, report
from local.simulate.clock import CityClock
from local.simulate.comparison import table
from local.simulate.dashboard import Dashboard
from local.simulate.demand import City
from local.simulate.diary import Diary, Sample, Ticket
from local.simulate.evening import Outcome
from local.simulate.figures import summary
from local.simulate.geography import Leg, Track
from local.simulate.glance import Glance
from local.simulate.referee import WAS_DARK, Violation
from local.simulate.scenario import Scenario
from local.simulate.spread import percentile, spread
from local.simulate.telephones import Exchange
from schema.messages.dispatch import AssignmentStatus
from tests.local.simulate.evenings import BEGAN, REJECTED, Books, minute

A, S = AssignmentStatus, OrderStatus
HERE, THERE = uuid4(), uuid4()
# An evening of two hours by the city's clock, which runs ten times as fast as ours: what took a
# minute of ours took ten of the city's.
SCENARIO = Scenario(orders_per_hour=2, drivers=2, hours=2, speed=10, seed=7, kitchens=1)
ENVIRONMENT = {
    "API_URL": "http://127.0.0.1:1",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1",
    "JWT_SECRET": "x" * 32,
    "JWT_PRIVATE_KEY": "read when it is needed",
    "STRIPE_API_KEY": "sk_test_nothing",
    "STORAGE_URL": "file:///nowhere",
}


async def code() -> str:
    return "0000"


@pytest.fixture
async def outcome() -> AsyncIterator[Outcome]:
    """Three orders: two of one driver's, overlapping, and one that was refused."""
    books = Books()
    first = books.order(driver=HERE)
    books.order(begins=2.0, driver=HERE)
    books.order(begins=3.0, story=REJECTED)
    books.offer(first, THERE, A.DECLINED, minute(4.1), minute(4.3))
    books.offer(first, THERE, A.EXPIRED, minute(4.3), minute(4.4))
    clock = CityClock(SCENARIO.speed)
    clock.began_at = BEGAN
    clock.lateness.extend([0.001, 0.002, 0.5])
    arrivals = City(SCENARIO).arrivals
    tickets = [
        Ticket(str(order.id), arrivals[0], code, promised_at_placing=minute(8))
        for order in books.orders
    ]
    samples = [Sample(0.0, Counter(idle=2)), Sample(60.0, Counter(idle=1, busy=1))]
    track = Track(Point(30.26, -97.74))
    track.drive(Leg(0.0, 600.0, Point(30.26, -97.74), Point(30.28, -97.75)))
    exchange = Exchange(ENVIRONMENT)
    exchange.sent = 100
    exchange.seconds.extend([0.010] * 98 + [0.2, 0.2])
    exchange.answers[200] = 100
    yield Outcome(
        scenario=SCENARIO,
        evidence=books.evidence(),
        violations=[],
        diary=Diary(
            tickets={ticket.order_id: ticket for ticket in tickets},
            samples=samples,
            stood=[120.0, 240.0],
        ),
        clock=clock,
        exchange=exchange,
        ended_at=7200.0,
        processor={"api": 360.0, "worker": 72.0},
        tracks={"driver 1": track},
        interrupted=False,
    )
    await exchange.close()


def test_figures_are_by_the_citys_clock(outcome: Outcome) -> None:
    found = summary(outcome)
    assert found["clickToDoor"] == {
        "count": 2,
        "mean": 80.0,
        "p50": 80.0,
        "p90": 80.0,
        "max": 80.0,
        "over60": 2,
    }
    assert found["readyToPickup"]["mean"] == 20.0
    assert found["orders"] == {
        "placed": 3,
        "turnedAway": {},
        "byStatus": {"delivered": 2, "cancelled": 1},
        "cancelReasons": {"rejected_by_chef": 1},
    }
    assert found["offers"] | {"acceptance": 0} == {
        "made": 4,
        "accepted": 2,
        "givenBack": 0,
        "declined": 1,
        "expired": 1,
        "withdrawn": 0,
        "acceptance": 0,
    }
    assert found["offers"]["acceptance"] == 0.5
    assert found["bundles"] == {"runs": 2, "ordersPerRun": 1.0, "bySize": {"1": 2}}
    assert found["drivers"]["utilisation"] == pytest.approx(1 / 4)
    earned = found["drivers"]["earnedCents"]
    # Of two drivers one has brought both.
    assert (earned["total"], earned["p10"], earned["p90"], earned["gini"]) == (1000, 100, 900, 0.5)
    # Promised for minute 8: the second came two minutes of ours, twenty of the city's, late.
    assert found["eta"]["atPlacing"]["median"] == 10.0
    assert found["eta"]["atPlacing"]["withinFive"] == 0.5
    assert found["eta"]["atPickup"] is None
    assert found["hadDriverWhenReady"] == 0.0
    assert found["waitingAtKitchen"]["mean"] == 3.0
    assert found["requests"]["p50Ms"] == 10
    assert found["requests"]["p99Ms"] == 200
    assert found["wallSeconds"] == 720
    # Half a second of ours in which somebody did not wake up are five of the city's.
    assert found["keptUp"]
    outcome.clock.lateness.append(0.6)
    assert not figures.kept_up(outcome)
    assert found["cores"] == {"api": 0.5, "worker": 0.1}
    assert found["lagSeconds"] == {"p50": 0.002, "p99": 0.49, "max": 0.5}
    json.dumps(found)


def test_what_was_held_at_once_counts_once_as_busy(outcome: Outcome) -> None:
    # From minute 5 to 8 and from 7 to 10 of ours: fifty minutes of the city's two hours.
    assert figures.busy_shares(outcome) == {HERE: pytest.approx(50 / 120)}


def test_what_was_given_back_is_told_from_what_was_withdrawn() -> None:
    books = Books()
    order = books.order(driver=HERE)
    books.steps[5].created_at = minute(4.2)
    books.offer(order, THERE, A.CANCELLED, minute(4.1), minute(4.5), ended_by=Actor.DRIVER)
    books.offer(order, uuid4(), A.CANCELLED, minute(4.55), minute(4.6), ended_by=Actor.ADMIN)
    books.offer(order, uuid4(), A.CANCELLED, minute(4.61), minute(4.62), reason=WAS_DARK)
    found = figures.outcomes(books.evidence())
    assert found == {"accepted": 1, "given back": 2, "withdrawn": 1}


def test_an_offer_of_two_orders_is_one_however_they_went_on() -> None:
    books = Books()
    orders = [books.order(driver=HERE), books.order(begins=0.1, driver=HERE)]
    books.offers[1].offer_id = books.offers[0].offer_id
    books.offers[1].stop = 2
    assert figures.outcomes(books.evidence()) == {"accepted": 1}
    books.offers[0].status, books.offers[0].ended_by = A.CANCELLED, Actor.DRIVER
    assert figures.outcomes(books.evidence()) == {"accepted": 1}
    assert [order.status for order in orders] == [S.DELIVERED] * 2


def test_who_has_all_is_further_from_equal_than_who_has_more() -> None:
    assert figures.gini([5, 5, 5]) == 0
    assert figures.gini([]) == figures.gini([0, 0]) == 0
    assert figures.gini([0, 10]) == 0.5
    assert figures.gini([10, 0, 0, 0]) == 0.75
    assert 0 < figures.gini([4, 5, 6]) < figures.gini([1, 5, 9])


class Page(HTMLParser):
    """The tags of a page, with what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.refers_to: list[str] = []
        self.plots = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.refers_to += [v or "" for k, v in attrs if k in {"src", "href", "action", "data"}]
        self.plots += ("class", "plotly-graph-div") in attrs


def test_the_report_holds_every_plot_and_refers_to_nothing_elsewhere(
    outcome: Outcome, tmp_path: Path
) -> None:
    found = summary(outcome)
    path = report.write(outcome, found, tmp_path / "evening")
    text = path.read_text()
    page = Page()
    page.feed(text)
    assert page.refers_to == []
    assert page.tags["link"] == page.tags["img"] == page.tags["iframe"] == 0
    assert page.plots == 9
    for title in (
        "Orders by state",
        "Click to door",
        "What became of offers",
        "Utilisation",
        "Earnings",
        "ETA error",
        "Routes",
    ):
        assert f'"{title}' in text
    written = json.loads((tmp_path / "evening" / "summary.json").read_text())
    assert written == json.loads(json.dumps(found))


def test_the_report_says_what_did_not_hold(outcome: Outcome) -> None:
    broken = replace(
        outcome, violations=[Violation("one driver for an order", "order <1> was with two")]
    )
    text = report.page(broken, summary(broken))
    assert "1 times not" in text
    assert "order &lt;1&gt; was with two" in text
    assert "times not" not in report.page(outcome, summary(outcome))


def test_two_evenings_stand_side_by_side(outcome: Outcome) -> None:
    ours = summary(outcome)
    nearest = summary(replace(outcome, scenario=replace(SCENARIO, policy="nearest")))
    ours["orders"]["cancelReasons"] = {"no_driver_found": 1}
    lines = table([nearest, ours]).splitlines()
    assert lines[0] == "|  | nearest | matching |"
    assert "| click to door, mean (min) | 80.0 | 80.0 |" in lines
    assert "| orders over 60 min | 2 | 2 |" in lines
    assert "| orders that no driver was found for | 0 | 1 |" in lines


@pytest.mark.parametrize("terminal", [True, False])
def test_the_dashboard_shows_what_goes_on(terminal: bool) -> None:
    seen = Glance(
        at=4000.0,
        orders={"preparing": 12, "delivered": 30},
        offers={"accepted": 31, "declined": 9},
        doing={"busy": 20, "idle": 39, "silent": 1},
        p50=34.4,
        p90=52.1,
        requests=1234,
        lag=0.02,
        answer=0.01,
        violations=[Violation("no driver over capacity", "driver 3 had 4 orders")],
        kills=0,
    )
    console = Console(force_terminal=terminal, record=True, width=160)
    with Dashboard(SCENARIO, console) as dashboard:
        dashboard.show(seen)
    shown = console.export_text()
    for words in ("1:06", "preparing", "12", "p50 34", "p90 52", "silent", "driver 3 had 4 orders"):
        assert words in shown


def test_durations_are_spread_between_half_and_most() -> None:
    found = spread([10.0, 20.0, 60.0])
    assert found == {"count": 3, "mean": 30.0, "p50": 20.0, "p90": 52.0, "max": 60.0}
    assert spread([])["count"] == 0


def test_a_percentile_lies_between_two_values() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 1.0)] == [1.0, 2.0, 3.0]
    assert percentile([1.0, 2.0], 0.5) == 1.5
    assert percentile([], 0.9) == 0.0
