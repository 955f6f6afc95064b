"""What partners are told of, how long it is tried, and what it is signed with."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from domain import webhooks as rules
from domain.order_status import TRANSITIONS, OrderStatus
from domain.webhooks import LONGEST_RETRY_AFTER, PATIENCE, PAUSES, EventType

S = OrderStatus
AT = datetime(2026, 1, 31, 18, tzinfo=UTC)
ENDPOINT = UUID("0198c0de-0000-7000-8000-0000000000e7")
CHANCES = st.floats(0, 1)


def test_partners_see_every_status_but_an_order_that_was_never_paid() -> None:
    steps = [(was, to) for was, followers in TRANSITIONS.items() for to in followers]

    unseen = {step for step in steps if rules.of_step(*step) is None}

    assert unseen == {(S.PENDING, S.CANCELLED)}
    assert rules.of_step(None, S.PENDING) is None
    assert {rules.of_step(*step) for step in steps} - {None} == {
        kind for kind in EventType if kind.startswith("order.")
    }


def test_an_order_is_created_when_it_is_paid_and_delivered_once() -> None:
    assert rules.of_step(S.PENDING, S.PAYMENT_CONFIRMED) is EventType.ORDER_CREATED
    assert rules.of_step(S.IN_TRANSIT, S.DELIVERED) is EventType.ORDER_DELIVERED
    assert rules.of_step(S.DISPUTED, S.DELIVERED) is EventType.ORDER_DISPUTE_CLOSED


@given(st.lists(CHANCES, min_size=20, max_size=20))
def test_a_message_is_tried_for_three_days_with_longer_and_longer_pauses(
    chances: list[float],
) -> None:
    tried_for, pauses = timedelta(), list[timedelta]()
    for tries, chance in enumerate(chances, start=1):
        pause = rules.pause(tries, tried_for, chance)
        if pause is None:
            break
        pauses.append(pause)
        tried_for += pause

    assert tried_for == PATIENCE
    assert len(pauses) in {8, 9}
    assert pauses[:-1] == sorted(pauses[:-1])
    for pause, planned in zip(pauses[:-1], PAUSES, strict=False):
        assert planned <= pause <= planned * 1.2


@given(st.timedeltas(timedelta(), 2 * PATIENCE), st.integers(1, 50), CHANCES)
def test_the_last_try_is_made_when_three_days_are_over(
    tried_for: timedelta, tries: int, chance: float
) -> None:
    pause = rules.pause(tries, tried_for, chance)

    if tried_for >= PATIENCE:
        assert pause is None
    else:
        assert pause is not None
        assert timedelta() < pause <= PATIENCE - tried_for


@given(st.integers(0, 10_000), CHANCES)
def test_a_busy_endpoint_is_looked_at_again_within_seconds_and_ever_more_seldom(
    times: int, chance: float
) -> None:
    wait = rules.while_busy(times, chance)

    assert timedelta(seconds=1) <= wait <= timedelta(minutes=6)
    assert wait <= rules.while_busy(times + 1, chance)


@pytest.mark.parametrize(
    ("asked", "left", "waits"),
    [
        (timedelta(), PATIENCE, timedelta(seconds=5)),
        (timedelta(minutes=1), PATIENCE, timedelta(minutes=1)),
        (timedelta(days=300), PATIENCE, LONGEST_RETRY_AFTER),
        (timedelta(hours=3), timedelta(hours=1), timedelta(hours=1)),
    ],
    ids=["nothing", "a-minute", "for-ever", "beyond-the-end"],
)
def test_who_asks_to_be_left_alone_is_within_reason(
    asked: timedelta, left: timedelta, waits: timedelta
) -> None:
    assert rules.asked_to_wait(timedelta(seconds=5), asked, left) == waits


def test_each_endpoint_and_version_has_a_secret_that_the_standard_takes() -> None:
    ours = "a secret of at least thirty-two characters"
    made = {
        rules.secret(secret, endpoint, version)
        for secret in (ours, ours + "!")
        for endpoint in (ENDPOINT, UUID(int=1))
        for version in (1, 2, 12)
    }

    assert len(made) == 12
    for secret in made:
        assert secret.startswith("whsec_")
        # Between 24 and 64 bytes, says the standard.
        assert len(Webhook(secret)._whsecret) == 32
    assert rules.secret(ours, ENDPOINT, 1) == rules.secret(ours, ENDPOINT, 1)


@given(st.lists(st.timedeltas(timedelta(), timedelta(hours=30)), max_size=12))
def test_a_secret_signs_for_a_day_after_the_next_one_was_made(pauses: list[timedelta]) -> None:
    version, oldest, rotated_at, at = 1, 1, None, AT
    replaced: dict[int, datetime] = {}
    for pause in pauses:
        at += pause
        oldest = rules.oldest_after_rotation(version, oldest, rotated_at, at)
        replaced[version] = at
        version, rotated_at = version + 1, at

        signing = rules.signing_versions(version, oldest, rotated_at, at)
        assert signing[0] == version
        assert signing[1] == version - 1
        assert len(signing) <= rules.MOST_SECRETS
        just_replaced = {old for old, when in replaced.items() if at - when < timedelta(hours=24)}
        assert set(signing) >= {old for old in just_replaced if old > version - rules.MOST_SECRETS}
    later = at + timedelta(hours=24)
    assert rules.signing_versions(version, oldest, rotated_at, later) == (version,)


def test_a_message_is_in_the_standards_envelope() -> None:
    said = rules.envelope(EventType.ORDER_CREATED, AT, {"orderNumber": "RND-20260131-0001"})

    assert said == {
        "type": "order.created",
        "timestamp": "2026-01-31T18:00:00Z",
        "data": {"orderNumber": "RND-20260131-0001"},
    }
