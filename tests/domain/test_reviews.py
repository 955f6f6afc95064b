"""When reviews can be written and changed, what is looked at first, and what counts."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import reviews
from domain.reviews import ReviewStatus

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "comment",
    [
        "write to me@example.com",
        "me (at) example . com",
        "see https://example.org/menu",
        "www.example.net",
        "order directly at mykitchen.com",
        "call 512-555-0123",
        "call +1 (512) 555 0123",
        "5125550123",
        "find me on WhatsApp",
        "this is SHIT",
    ],
)
def test_words_that_are_looked_at_first(comment: str) -> None:
    assert reviews.first_status(comment) is ReviewStatus.PENDING


@pytest.mark.parametrize(
    "comment",
    [
        None,
        "Crisp as in Chennai.",
        "10/10, 2 dosas for 20.00",
        "ordered 31.01.2026, came at 18:30",
        "Shiitake and Scunthorpe, lovely.",
        "The best.Really",
    ],
)
def test_words_that_are_shown_at_once(comment: str | None) -> None:
    assert reviews.first_status(comment) is ReviewStatus.VISIBLE


def test_what_is_hidden_stays_hidden_whatever_its_author_writes() -> None:
    assert reviews.status_after_edit(ReviewStatus.HIDDEN, "Good.") is ReviewStatus.HIDDEN
    assert reviews.status_after_edit(ReviewStatus.PENDING, "Good.") is ReviewStatus.VISIBLE
    assert reviews.status_after_edit(ReviewStatus.VISIBLE, "a@b.com") is ReviewStatus.PENDING


def test_only_what_is_seen_counts() -> None:
    assert reviews.counted(ReviewStatus.VISIBLE, 4) == (4, 1)
    assert reviews.counted(ReviewStatus.PENDING, 4) == (0, 0)
    assert reviews.counted(ReviewStatus.HIDDEN, 4) == (0, 0)


def test_the_windows_end_when_they_say() -> None:
    second = timedelta(seconds=1)
    assert reviews.may_be_reviewed(NOON, NOON + timedelta(days=30))
    assert not reviews.may_be_reviewed(NOON, NOON + timedelta(days=30) + second)
    assert reviews.may_be_edited(NOON, NOON + timedelta(days=1))
    assert not reviews.may_be_edited(NOON, NOON + timedelta(days=1) + second)
