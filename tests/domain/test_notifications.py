"""Everything that is said can be said."""

import pytest

from domain.notifications import (
    NOTICES,
    Alert,
    Audience,
    DriverAlert,
    KitchenAlert,
    Occasion,
    PayeeAlert,
    notices,
)
from domain.order_status import OrderStatus

WORDS = {"number": "RND-20260131-0001", "kitchen": "Meena's Kitchen", "reason": "too late"}
WORDS_OF_PARTIES = {"name": "Meena's Kitchen", "reason": "rejected.fraud"}


@pytest.mark.parametrize("occasion", NOTICES)
def test_every_message_needs_only_the_words_it_gets(
    occasion: Occasion,
) -> None:
    is_of_parties = isinstance(occasion, PayeeAlert | DriverAlert | KitchenAlert)
    words = WORDS_OF_PARTIES if is_of_parties else WORDS
    for notice in notices(occasion):
        assert notice.title.format(**words)
        assert notice.message.format(**words)


@pytest.mark.parametrize("alerts", [Alert, PayeeAlert, DriverAlert, KitchenAlert])
def test_every_alert_tells_somebody(
    alerts: type[Alert] | type[PayeeAlert] | type[DriverAlert] | type[KitchenAlert],
) -> None:
    assert all(notices(alert) for alert in alerts)


def test_a_payee_is_told_of_himself_alone() -> None:
    told = {notice.audience for alert in PayeeAlert for notice in notices(alert)}

    assert told == {Audience.PAYEE, Audience.OPS}


def test_a_driver_is_told_of_his_verification_as_such() -> None:
    told = {notice.type for alert in DriverAlert for notice in notices(alert)}

    assert told == {"driver:verification", "admin:alert"}


def test_a_paid_order_is_new_to_its_chef() -> None:
    told = {notice.audience: notice.type for notice in notices(OrderStatus.PAYMENT_CONFIRMED)}

    assert told[Audience.CHEF] == "order:new"
    assert told[Audience.CUSTOMER] == "order:status_update"
