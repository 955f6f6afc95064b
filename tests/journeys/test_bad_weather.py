"""Webhooks that come twice, late or in disorder, and calls that worked though nobody saw it."""

from collections.abc import Mapping

import httpx
import pytest

from tests.journeys.batch import Batch

# Shapes of trouble at Stripe: how webhooks behave, and what befalls the calls of our workers.
WEATHER = {
    "every event five times": ({"duplicates": 5}, []),
    "events in disorder": ({"reorder": True, "seed": 7, "delay_seconds": 0.2}, []),
    "events five times, in disorder": (
        {"duplicates": 5, "reorder": True, "seed": 11, "delay_seconds": 0.2},
        [],
    ),
    "answers lost after the work was done": (
        {},
        [
            {"match": "POST /v1/payment_intents", "kind": "drop_after", "times": 6},
            {"match": "POST /v1/refunds", "kind": "drop_after", "times": 3},
        ],
    ),
    "Stripe busy or broken": (
        {},
        [
            {"match": "POST /v1/payment_intents", "kind": "rate_limit", "times": 5},
            {"match": "POST /v1/refunds", "kind": "drop_before", "times": 2},
            {"match": "GET /v1/payment_intents/*", "kind": "server_error", "times": 3},
        ],
    ),
}


@pytest.mark.parametrize("weather", WEATHER)
async def test_every_order_ends_well_with_one_charge_each(
    environment: Mapping[str, str], weather: str
) -> None:
    webhooks, faults = WEATHER[weather]
    async with httpx.AsyncClient(base_url=environment["STRIPE_API_BASE"]) as stripe:
        if webhooks:
            (await stripe.post("/_control/webhooks", json=webhooks)).raise_for_status()
        for fault in faults:
            (await stripe.post("/_control/faults", json=fault)).raise_for_status()
        try:
            await Batch(environment, size=20).live()
            assert (await stripe.get("/_control/faults")).json() == [], "a fault never happened"
        finally:
            await stripe.delete("/_control/webhooks")
            await stripe.delete("/_control/faults")
