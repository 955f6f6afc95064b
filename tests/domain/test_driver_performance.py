"""How well a driver does is counted over what he could help, and no further back than it should."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.driver_performance import GRACE, LAST_OFFERS, Asked, Performance, performance

DUE = datetime(2026, 1, 31, 18, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def asked(*, accepted: bool = True, offer: UUID | None = None, **what: object) -> Asked:
    return Asked(offer or uuid4(), accepted, **what)  # type: ignore[arg-type]


def test_who_was_never_asked_has_no_shares() -> None:
    assert performance([]) == Performance(0, None, None, None, None)


def test_an_offer_for_several_orders_is_accepted_once() -> None:
    bundle = uuid4()

    found = performance([asked(offer=bundle), asked(offer=bundle), asked(accepted=False)])

    assert (found.offers, found.acceptance) == (2, 0.5)


def test_only_the_last_hundred_offers_count() -> None:
    latest = [asked(accepted=False) for _ in range(LAST_OFFERS)]
    late = asked(delivery_due=DUE, delivered_at=DUE + timedelta(hours=1))

    found = performance([*latest, late])

    assert (found.offers, found.acceptance, found.on_time_delivery) == (LAST_OFFERS, 0, None)
    assert performance([*latest[1:], late]).on_time_delivery == 0


def test_what_an_operator_gave_him_is_no_offer_but_is_to_be_brought_in_time() -> None:
    found = performance([asked(by_hand=True, delivery_due=DUE, delivered_at=DUE)])

    assert (found.offers, found.acceptance, found.on_time_delivery) == (0, None, 1)
    assert found.completion == 1


def test_he_is_not_late_for_food_that_was() -> None:
    ready = DUE + 30 * MINUTE

    def share(picked_up_at: datetime) -> float | None:
        one = asked(pickup_due=DUE, prepared_at=ready, picked_up_at=picked_up_at)
        return performance([one]).on_time_pickup

    assert share(ready + GRACE) == 1
    assert share(ready + GRACE + MINUTE) == 0


def test_what_he_gave_back_was_accepted_and_not_completed() -> None:
    found = performance([asked(given_back=True), asked(delivered_at=DUE), asked()])

    assert (found.acceptance, found.completion) == (1, 0.5)


verdicts = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(-60, 60)), max_size=150)


@given(verdicts)
def test_shares_are_shares(record: list[tuple[bool, bool, int]]) -> None:
    orders = [
        asked(
            accepted=accepted,
            by_hand=by_hand,
            delivery_due=DUE,
            delivered_at=DUE + minutes * MINUTE if accepted else None,
        )
        for accepted, by_hand, minutes in record
    ]

    found = performance(orders)

    assert found.offers == min(LAST_OFFERS, sum(not one.by_hand for one in orders))
    for share in (found.acceptance, found.on_time_delivery, found.completion):
        assert share is None or 0 <= share <= 1
