"""How a dispute stands, what its order hears, and who bears it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import disputes
from domain.disputes import Outcome, Stage, stage_of, untold, usual_fault
from domain.ledger import Bearer

DUE = datetime(2026, 2, 8, 23, 59, 59, tzinfo=UTC)

# Every way that a dispute can go, in Stripe's words.
COURSES = (
    ("needs_response", "under_review", "won"),
    ("needs_response", "lost"),
    ("warning_needs_response", "warning_under_review", "warning_closed"),
    ("warning_needs_response", "needs_response", "under_review", "lost"),
    ("warning_needs_response", "needs_response", "won"),
    ("prevented",),
)
STATUSES = sorted({status for course in COURSES for status in course} | {"of_next_year"})


@pytest.mark.parametrize(
    ("status", "stage", "outcome"),
    [
        ("warning_needs_response", Stage.INQUIRY, None),
        ("warning_closed", Stage.CLOSED, Outcome.DROPPED),
        ("needs_response", Stage.DISPUTE, None),
        ("under_review", Stage.DISPUTE, None),
        ("won", Stage.CLOSED, Outcome.WON),
        ("lost", Stage.CLOSED, Outcome.LOST),
    ],
)
def test_stripes_words_in_ours(status: str, stage: Stage, outcome: Outcome | None) -> None:
    assert stage_of(status) is stage
    assert disputes.outcome_of(status) is outcome


@given(st.sampled_from(COURSES), st.data())
def test_an_order_hears_a_whole_story_whatever_we_saw_of_it(
    course: tuple[str, ...], data: st.DataObject
) -> None:
    """Some looks come late, some never; the last one sees the end, often more than once."""
    seen = [status for status in course[:-1] if data.draw(st.booleans())] + [course[-1]] * 2
    heard: list[Stage] = []
    for status in seen:
        heard += untold(heard[-1] if heard else None, status)

    assert len(set(heard)) == len(heard)
    assert heard == sorted(heard, key=list(Stage).index)
    assert heard[-1] is Stage.CLOSED
    was_disputed = disputes.outcome_of(course[-1]) is not Outcome.DROPPED
    assert (Stage.DISPUTE in heard) == was_disputed
    assert len(heard) > 1


@given(st.sampled_from(STATUSES))
def test_an_order_that_knows_the_end_hears_no_more(status: str) -> None:
    assert untold(Stage.CLOSED, status) == ()


@pytest.mark.parametrize(
    ("reason", "delivered", "proven", "bearer"),
    [
        ("product_not_received", True, True, Bearer.PLATFORM),
        ("product_not_received", True, False, Bearer.DRIVER),
        ("product_not_received", False, False, Bearer.PLATFORM),
        ("product_unacceptable", True, True, Bearer.CHEF),
        ("fraudulent", True, False, Bearer.PLATFORM),
        ("duplicate", True, True, Bearer.PLATFORM),
        ("a_reason_of_next_year", True, False, Bearer.PLATFORM),
    ],
)
def test_who_usually_bears_it(reason: str, delivered: bool, proven: bool, bearer: Bearer) -> None:
    assert usual_fault(reason, delivered=delivered, proven=proven) is bearer


def test_a_chef_never_bears_a_tip() -> None:
    food = {"delivered": True, "proven": False, "of_tip": True}
    assert usual_fault("product_unacceptable", **food) is Bearer.PLATFORM
    assert usual_fault("product_not_received", **food) is Bearer.DRIVER


@given(st.timedeltas(timedelta(days=-30), timedelta(days=5)))
def test_each_reminder_has_its_moment(ago: timedelta) -> None:
    now = DUE + ago
    come, coming = disputes.reminder_due(DUE, now), disputes.next_reminder(DUE, now)

    assert come is None or DUE - come <= now < DUE
    assert coming is None or now < coming < DUE
    if coming is not None:
        assert disputes.reminder_due(DUE, coming) == DUE - coming


def test_reminders_come_in_order() -> None:
    assert all(earlier > later for earlier, later in pairwise(disputes.REMINDERS))


@pytest.mark.parametrize(
    ("left", "wait"),
    [
        (timedelta(days=5), timedelta(days=1)),
        (timedelta(days=2, seconds=1), timedelta(days=1)),
        (timedelta(days=2), timedelta(hours=1)),
        (timedelta(minutes=5), timedelta(hours=1)),
    ],
)
def test_refused_evidence_is_sent_again_sooner_when_its_end_is_near(
    left: timedelta, wait: timedelta
) -> None:
    assert disputes.next_try(DUE, DUE - left) == DUE - left + wait
