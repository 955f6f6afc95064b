"""Whoever wants quiet has it, and nobody waits longer than he wished."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.notifications import NOTICES, Alert, Audience, Notice, Urgency, notice, notices
from domain.preferences import DEFAULTS, Channel, Choices, Event
from domain.reaching import Wishes, reach

CHICAGO = "America/Chicago"
NOTICE = Notice(Audience.CUSTOMER, "order:status_update", Event.ORDERS, Urgency.NORMAL)
[OFFER] = notices(Alert.DRIVER_OFFER)

ALL = st.sampled_from([one for said in NOTICES.values() for one in said])
CHOICES: st.SearchStrategy[Choices] = st.fixed_dictionaries(
    {
        event: st.fixed_dictionaries({channel: st.booleans() for channel in Channel})
        for event in Event
    }
)
ZONES = st.sampled_from(
    [
        CHICAGO,
        "Europe/Madrid",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Pacific/Apia",
        "Etc/UTC",
    ]
)
CLOCKS = st.times().map(lambda at: f"{at:%H:%M}")
# Around every change of clocks, and any time else.
MOMENTS = st.one_of(
    st.integers(1_322_697_600, 2_051_222_400).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.builds(
        lambda day, minutes: datetime.combine(day, time(), UTC) + timedelta(minutes=minutes),
        st.sampled_from(
            [
                date(2026, 3, 8),
                date(2026, 11, 1),
                date(2026, 3, 29),
                date(2026, 10, 25),
                date(2026, 4, 4),
                date(2026, 10, 3),
                date(2026, 9, 6),
                date(2011, 12, 29),
            ]
        ),
        st.integers(-720, 48 * 60),
    ),
)
WISHES = st.builds(Wishes, choices=CHOICES, quiet_from=CLOCKS, quiet_until=CLOCKS, timezone=ZONES)


def is_quiet(wishes: Wishes, at: datetime) -> bool:
    """What the clock on the wall says."""
    assert wishes.timezone is not None
    here = f"{at.astimezone(ZoneInfo(wishes.timezone)):%H:%M}"
    begins, ends = str(wishes.quiet_from), str(wishes.quiet_until)
    if begins <= ends:
        return begins <= here < ends
    return here >= begins or here < ends


@given(ALL, WISHES, MOMENTS)
def test_nothing_is_due_while_somebody_wants_quiet(
    one: Notice, wishes: Wishes, at: datetime
) -> None:
    assume(one.urgency is not Urgency.LIVE)
    for due in reach(one, wishes, at).values():
        assert not is_quiet(wishes, due)
        assert due >= at
        if not is_quiet(wishes, at):
            assert due == at


@given(ALL, WISHES, MOMENTS)
def test_nothing_waits_longer_than_a_day_of_the_clock(
    one: Notice, wishes: Wishes, at: datetime
) -> None:
    # Less than two hours a day without quiet may fall to a clock that is put forward.
    begins, ends = (
        time.fromisoformat(str(each)) for each in (wishes.quiet_from, wishes.quiet_until)
    )
    loud = (begins.hour * 60 + begins.minute - ends.hour * 60 - ends.minute) % (24 * 60)
    # Apia left out a whole day once.
    assume(loud >= 120 and wishes.timezone != "Pacific/Apia")
    for due in reach(one, wishes, at).values():
        assert due - at <= timedelta(hours=25)


@given(ALL, WISHES, MOMENTS)
def test_only_what_was_chosen_is_used(one: Notice, wishes: Wishes, at: datetime) -> None:
    used = set(reach(one, wishes, at))

    assert Channel.IN_APP not in used
    assert all(wishes.choices[one.event][channel] for channel in used)
    if one.urgency is not Urgency.LIVE:
        chosen = {channel for channel, wanted in wishes.choices[one.event].items() if wanted}
        assert used == chosen - {Channel.IN_APP}


@given(WISHES, MOMENTS)
def test_a_live_offer_waits_for_nothing_and_is_not_mailed(wishes: Wishes, at: datetime) -> None:
    reached = reach(OFFER, wishes, at)

    assert set(reached.values()) <= {at}
    assert Channel.EMAIL not in reached
    assert (Channel.PUSH in reached) is wishes.choices[Event.WORK][Channel.PUSH]


@given(ALL, MOMENTS)
def test_whoever_never_chose_is_told_at_once_as_is_usual(one: Notice, at: datetime) -> None:
    reached = reach(one, Wishes(), at)

    usual = {channel for channel, on in DEFAULTS[one.event].items() if on} - {Channel.IN_APP}
    assert set(reached) <= usual
    assert set(reached.values()) <= {at}


def due(wishes: Wishes, at: str) -> str:
    """When a push that is told at a moment of Chicago's clock is due there."""
    here = ZoneInfo(CHICAGO)
    told = datetime.fromisoformat(at)
    moment = (told if told.tzinfo else told.replace(tzinfo=here)).astimezone(UTC)
    return f"{reach(NOTICE, wishes, moment)[Channel.PUSH].astimezone(here):%m-%dT%H:%M%z}"


NIGHT = Wishes(quiet_from="22:00", quiet_until="07:00", timezone=CHICAGO)
NOON = Wishes(quiet_from="12:00", quiet_until="13:30", timezone=CHICAGO)


@pytest.mark.parametrize(
    ("wishes", "at", "expected"),
    [
        (NIGHT, "2026-01-31T21:59", "01-31T21:59-0600"),
        (NIGHT, "2026-01-31T22:00", "02-01T07:00-0600"),
        (NIGHT, "2026-02-01T06:59", "02-01T07:00-0600"),
        (NIGHT, "2026-02-01T07:00", "02-01T07:00-0600"),
        (NOON, "2026-01-31T12:00", "01-31T13:30-0600"),
        (NOON, "2026-01-31T23:00", "01-31T23:00-0600"),
        # The night in which clocks are put forward is an hour shorter, the other an hour longer.
        (NIGHT, "2026-03-07T22:30", "03-08T07:00-0500"),
        (NIGHT, "2026-10-31T22:30", "11-01T07:00-0600"),
    ],
)
def test_quiet_ends_when_the_clock_says_so(wishes: Wishes, at: str, expected: str) -> None:
    assert due(wishes, at) == expected


def test_an_end_that_the_clock_skips_comes_an_hour_later() -> None:
    wishes = Wishes(quiet_from="22:00", quiet_until="02:30", timezone=CHICAGO)

    assert due(wishes, "2026-03-08T01:00") == "03-08T03:30-0500"


def test_an_end_that_comes_twice_ends_the_quiet_that_it_is_in() -> None:
    wishes = Wishes(quiet_from="22:00", quiet_until="01:30", timezone=CHICAGO)

    assert due(wishes, "2026-11-01T01:10-05:00") == "11-01T01:30-0500"
    assert due(wishes, "2026-11-01T01:40-05:00") == "11-01T01:40-0500"
    assert due(wishes, "2026-11-01T01:10-06:00") == "11-01T01:30-0600"


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(),
        Wishes(quiet_from="22:00", quiet_until="07:00"),
        Wishes(quiet_from="22:00", quiet_until="07:00", timezone="Mars/Olympus"),
        Wishes(quiet_from="22:00", quiet_until="22:00", timezone=CHICAGO),
    ],
)
def test_half_of_quiet_hours_is_none(wishes: Wishes) -> None:
    at = datetime(2026, 2, 1, 4, 30, tzinfo=UTC)

    assert set(reach(NOTICE, wishes, at).values()) == {at}


def test_a_payment_is_mailed_and_a_step_of_an_order_is_pushed() -> None:
    at = datetime(2026, 2, 1, 4, 30, tzinfo=UTC)
    paid, accepted = notice("payment_confirmed", "customer"), notice("accepted", "customer")
    assert paid is not None
    assert accepted is not None

    assert set(reach(paid, Wishes(), at)) == {Channel.EMAIL}
    assert set(reach(accepted, Wishes(), at)) == {Channel.PUSH}
