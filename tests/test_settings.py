"""Settings reach those who live by them."""

from datetime import timedelta

from settings import Settings, terms

NEEDED = {
    "DATABASE_URL": "postgresql://nobody@nowhere/nothing",
    "REDIS_URL": "redis://nowhere/0",
    "JWT_SECRET": "a secret of at least thirty-two characters",
    "JWT_PRIVATE_KEY": "read when it is needed",
    "STRIPE_API_KEY": "sk_test_none",
    "STORAGE_URL": "file:///nowhere",
}


def test_an_order_is_placed_under_the_citys_clock() -> None:
    settings = Settings.of({**NEEDED, "PACE": "20", "CITY_KMH": "24", "HANDOVER_SECONDS": "120"})

    agreed = terms(settings)

    assert (agreed.city.pace, agreed.city.kmh) == (20, 24)
    assert agreed.city.lasting(agreed.city.handover) == timedelta(seconds=6)
    assert agreed.dispatch_rejoin == timedelta(seconds=67 / 20)


def test_an_order_that_is_taken_up_without_terms_lives_by_our_clock() -> None:
    assert terms(Settings.of(NEEDED)).city.pace == 1


def test_what_was_let_in_before_an_account_closed_has_come_before_it_is_forgotten() -> None:
    settings = Settings.of(NEEDED)

    assert settings.erasure_settle_seconds > settings.access_token_minutes * 60
