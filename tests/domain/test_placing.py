"""Who takes up a place in a kitchen."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.order_status import TRANSITIONS, OrderStatus
from domain.placing import TAKES_A_PLACE, needs_place

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("scheduled_for", "ready_at", "needs"),
    [
        (None, NOON + 60 * MINUTE, True),
        (NOON + 90 * MINUTE, NOON + 60 * MINUTE, False),
        (NOON + 90 * MINUTE, NOON + 21 * MINUTE, False),
        (NOON + 90 * MINUTE, NOON + 20 * MINUTE, True),
    ],
    ids=["now", "later", "almost", "due"],
)
def test_an_order_for_later_needs_a_place_when_it_has_to_be_cooked(
    scheduled_for: datetime | None, ready_at: datetime, needs: bool
) -> None:
    assert needs_place(scheduled_for, ready_at, 20, NOON) is needs


def test_a_place_is_taken_until_the_food_is_ready() -> None:
    on_the_way_to_ready = {OrderStatus.PENDING}
    while True:
        further = {
            to
            for status in on_the_way_to_ready
            for to in TRANSITIONS[status]
            if to not in {OrderStatus.CANCELLED, OrderStatus.READY_FOR_PICKUP}
        }
        if further <= on_the_way_to_ready:
            break
        on_the_way_to_ready |= further
    assert on_the_way_to_ready == TAKES_A_PLACE
