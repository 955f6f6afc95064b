"""Everything that is said can be found, and is said in one way."""

import pytest

from domain.notifications import (
    NOTICES,
    Alert,
    Audience,
    DriverAlert,
    KitchenAlert,
    Occasion,
    PayeeAlert,
    Urgency,
    notice,
    notices,
)
from domain.order_status import OrderStatus
from domain.preferences import Event


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


def test_what_was_written_down_of_a_notice_finds_it_again() -> None:
    names = [occasion.value for occasion in NOTICES]
    assert len(set(names)) == len(names)
    for occasion, said in NOTICES.items():
        assert len({one.audience for one in said}) == len(said)
        for one in said:
            assert notice(occasion.value, one.audience.value) is one


@pytest.mark.parametrize(
    ("occasion", "audience"), [("", ""), ("accepted", "driver"), ("no_such_thing", "ops")]
)
def test_what_nobody_is_told_is_no_notice(occasion: str, audience: str) -> None:
    assert notice(occasion, audience) is None


def test_only_a_drivers_offer_is_live() -> None:
    live: list[tuple[Occasion, Audience]] = [
        (occasion, one.audience)
        for occasion, said in NOTICES.items()
        for one in said
        if one.urgency is Urgency.LIVE
    ]

    assert live == [(Alert.DRIVER_OFFER, Audience.DRIVER)]


def test_nobody_is_sent_promotions_by_an_order() -> None:
    assert all(one.event is not Event.PROMOTIONS for said in NOTICES.values() for one in said)
