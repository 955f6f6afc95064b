"""When somebody has logged in, and whether that is just now."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.logins import FRESH, is_fresh, made_at


def test_a_family_says_when_it_was_made() -> None:
    # RFC 9562, appendix A.6.
    example = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")

    assert made_at(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_one_that_is_made_now_is_of_now() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    assert before <= made_at(uuid7()) <= datetime.now(UTC)


def test_a_login_is_fresh_for_ten_minutes_and_one_of_an_unknown_time_never() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)

    assert is_fresh(at - FRESH, at)
    assert not is_fresh(at - FRESH - timedelta(seconds=1), at)
    assert not is_fresh(None, at)
