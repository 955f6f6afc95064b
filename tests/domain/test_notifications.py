"""Everything that is said can be said."""

import pytest

from domain.notifications import NOTICES, Alert, Audience, notices
from domain.order_status import OrderStatus

WORDS = {"number": "RND-20260131-0001", "kitchen": "Meena's Kitchen", "reason": "too late"}


@pytest.mark.parametrize("occasion", NOTICES)
def test_every_message_needs_only_the_words_it_gets(occasion: OrderStatus | Alert) -> None:
    for notice in notices(occasion):
        assert notice.title.format(**WORDS)
        assert notice.message.format(**WORDS)


def test_every_alert_tells_somebody() -> None:
    assert all(notices(alert) for alert in Alert)


def test_a_paid_order_is_new_to_its_chef() -> None:
    told = {notice.audience: notice.type for notice in notices(OrderStatus.PAYMENT_CONFIRMED)}

    assert told[Audience.CHEF] == "order:new"
    assert told[Audience.CUSTOMER] == "order:status_update"
