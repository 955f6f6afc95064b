"""What SendGrid's events say of a mail, and what they do not."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivering import DeliveryStatus, Round
from domain.mail_events import NEWS_TO, Ending, MailEvent, ending

S = DeliveryStatus
ID = "0198c0de-0000-7000-8000-0000000000d1"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (MailEvent("bounce", type="bounce", status="5.1.1"), "SendGrid says bounce 5.1.1"),
        (MailEvent("bounce", type="bounce", status="550"), "SendGrid says bounce"),
        (MailEvent("dropped", reason="Bounced Address"), "SendGrid says dropped: bounced address"),
        (MailEvent("dropped", reason="Invalid"), "SendGrid says dropped: invalid"),
        (
            MailEvent("dropped", reason="Spam Reporting Address"),
            "SendGrid says dropped: spam reporting address",
        ),
        (
            MailEvent("dropped", reason="Unsubscribed Address"),
            "SendGrid says dropped: unsubscribed address",
        ),
        (MailEvent("spamreport"), "SendGrid says spamreport"),
    ],
)
def test_an_address_where_nothing_arrives_is_dead(said: MailEvent, error: str) -> None:
    assert ending(said) == Ending(S.DEAD, error)


@pytest.mark.parametrize(
    "said",
    [
        MailEvent("bounce", type="blocked", status="5.7.1"),
        MailEvent("bounce"),
        MailEvent("dropped", reason="Invalid SMTPAPI header"),
        MailEvent("dropped", reason="Recipient List over Package Quota"),
        MailEvent("dropped", reason="Spam Content (if spam checker app enabled)"),
        *map(MailEvent, ("processed", "deferred", "open", "click", "unsubscribe", "of tomorrow")),
    ],
)
def test_what_may_arrive_another_time_or_is_about_something_else_says_nothing(
    said: MailEvent,
) -> None:
    assert ending(said) is None


def test_what_has_arrived_has_no_error() -> None:
    assert ending(MailEvent("delivered", reason="250 OK")) == Ending(S.DELIVERED)


@given(st.builds(MailEvent, st.sampled_from(["bounce", "dropped", "spamreport"])), st.text())
def test_no_error_says_what_a_mail_server_has_said(said: MailEvent, words: str) -> None:
    address = f"{words}somebody@example.com"
    for told in (
        MailEvent(said.event, "bounce", f"550 no {address}", address),
        MailEvent(said.event, "bounce", "Bounced Address", f"5.1.1 {address}"),
    ):
        found = ending(told)
        assert found is None or address not in (found.error or "")


def test_what_is_dead_stays_so() -> None:
    assert not [status for status, known in NEWS_TO.items() if S.DEAD in known]


@given(st.integers(min_value=0, max_value=10**9 - 1))
def test_a_key_says_which_delivery_it_is_in_which_round(number: int) -> None:
    sent = Round(uuid4(), number)
    assert Round.of_key(sent.key) == sent


@pytest.mark.parametrize(
    "key",
    [
        "",
        "key-1",
        ID.replace("-", ""),
        f"letter-{ID}",
        f"{ID} ",
        f"{ID}-",
        f"{ID}-0",
        f"{ID}-01",
        f"{ID}-1-1",
        f"{ID}-{'9' * 10}",
        f"{ID}-\u0661",
    ],
)
def test_another_key_is_that_of_something_else(key: str) -> None:
    assert Round.of_key(key) is None
