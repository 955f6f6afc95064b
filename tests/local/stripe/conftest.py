"""The Stripe that the tests talk to."""

from collections.abc import Iterator

import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, Receiver, Stage


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Return the Stripe of all tests that look at nothing but what they made themselves."""
    own_stage = Stage()
    with own_stage.play(tmp_path_factory.mktemp("stripe") / "stripe.sqlite") as playing:
        yield playing
    own_stage.close()


@pytest.fixture
def client(api: Api) -> stripe.StripeClient:
    """Return the official SDK with a secret key."""
    return api.client()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listen for webhooks."""
    listening = Receiver()
    yield listening
    listening.stop()
