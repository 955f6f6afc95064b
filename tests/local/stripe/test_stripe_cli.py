"""The official CLI as a client: it knows Stripe's API from Stripe, and nothing from us."""

from pathlib import Path

import pytest

from tests.local.stripe import stripe_cli
from tests.local.stripe.stripe_cli import Cli
from tests.local.stripe.stripe_harness import Api

pytestmark = pytest.mark.skipif(not stripe_cli.available(), reason="there is no npm")

CARD = ("-d", "allowed_payment_method_types[]=card")


@pytest.fixture(scope="session")
def program() -> Path:
    """Return the CLI's program."""
    return stripe_cli.install()


@pytest.fixture
def cli(program: Path, tmp_path: Path, fresh: Api) -> Cli:
    """Return the CLI with a home of its own and a Stripe that remembers nothing yet."""
    home = tmp_path / "home"
    home.mkdir()
    return Cli(program, home, fresh)


def test_payment_is_made_confirmed_and_refunded(cli: Cli) -> None:
    made = cli.post("/v1/payment_intents", *CARD, amount=2000, currency="usd")
    assert made["status"] == "requires_payment_method"
    path = f"/v1/payment_intents/{made['id']}"
    paid = cli.post(f"{path}/confirm", payment_method="pm_card_visa")
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 2000)
    refund = cli.post("/v1/refunds", payment_intent=made["id"], amount=500)
    assert (refund["status"], refund["amount"]) == ("succeeded", 500)
    shown = cli.get(path, "--expand", "latest_charge")
    assert shown["latest_charge"]["amount_refunded"] == 500
    listed = cli.get("/v1/refunds", "--limit", "1", "-d", f"payment_intent={made['id']}")
    assert [found["id"] for found in listed["data"]] == [refund["id"]]


def test_commands_named_after_resources_work(cli: Cli) -> None:
    made = cli.ask("payment_intents", "create", "--amount=2000", "--currency=usd")
    assert cli.ask("payment_intents", "retrieve", made["id"]) == made
    cancelled = cli.ask("payment_intents", "cancel", made["id"])
    assert cancelled["status"] == "canceled"


def test_idempotency_key_makes_one_intent(cli: Cli) -> None:
    key = ("--idempotency", "order-42")
    first, again = (
        cli.post("/v1/payment_intents", *key, amount=2000, currency="usd") for _ in range(2)
    )
    assert first == again
    assert len(cli.get("/v1/payment_intents")["data"]) == 1


def test_refusal_is_shown(cli: Cli) -> None:
    refused = cli.post("/v1/payment_intents", amount=1, currency="usd")
    assert refused["error"]["code"] == "amount_too_small"


def test_saved_card_is_charged_again(cli: Cli) -> None:
    customer = cli.post("/v1/customers")["id"]
    order: dict[str, str | int] = {"amount": 2000, "currency": "usd", "confirm": "true"}
    order["customer"] = customer
    first = cli.post(
        "/v1/payment_intents",
        *CARD,
        **order,
        payment_method="pm_card_visa",
        setup_future_usage="off_session",
    )
    (saved,) = cli.get(f"/v1/customers/{customer}/payment_methods")["data"]
    assert saved["id"] == first["payment_method"]
    later = cli.post(
        "/v1/payment_intents", *CARD, **order, payment_method=saved["id"], off_session="true"
    )
    assert later["status"] == "succeeded"


def test_dispute_is_answered(cli: Cli) -> None:
    order: dict[str, str | int] = {"amount": 2000, "currency": "usd", "confirm": "true"}
    cli.post("/v1/payment_intents", *CARD, **order, payment_method="pm_card_createDispute")
    (dispute,) = cli.get("/v1/disputes")["data"]
    assert dispute["status"] == "needs_response"
    evidence = {"evidence[uncategorized_text]": "I was there."}
    answered = cli.post(f"/v1/disputes/{dispute['id']}", **evidence)
    assert answered["status"] == "under_review"


@pytest.mark.parametrize(
    "event_type",
    [
        "charge.captured",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.failed",
        "charge.refund.updated",
        "charge.refunded",
        "charge.succeeded",
        "customer.created",
        "customer.deleted",
        "customer.updated",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
        "payment_method.attached",
        "payment_method.detached",
        "payout.created",
        "payout.updated",
    ],
)
def test_event_is_triggered(cli: Cli, event_type: str) -> None:
    cli.trigger(event_type)
    assert cli.get("/v1/events", "-d", f"type={event_type}")["data"]


def test_account_update_is_triggered(cli: Cli) -> None:
    cli.trigger("account.updated")
    (account,) = cli.get("/v1/accounts")["data"]
    theirs = ("--stripe-account", account["id"], "-d", "type=account.updated")
    updated = cli.get("/v1/events", *theirs)["data"][0]["data"]["object"]
    assert (updated["id"], updated["metadata"]) == (account["id"], {"foo": "bar"})


@pytest.mark.parametrize(
    "event_type", ["transfer.created", "transfer.reversed", "transfer.updated"]
)
def test_transfer_event_is_triggered(cli: Cli, event_type: str) -> None:
    # Left alone, the CLI pays without a return URL, transfers more than that brings after fees, and
    # to an account that may not have it: Stripe itself refuses all three by now.
    cli.api.fund(1000)
    cli.trigger(
        event_type,
        "--override",
        "payment_intent:return_url=https://example.com/thanks",
        "--override",
        f"transfer:destination={cli.api.connected()}",
    )
    assert cli.get("/v1/events", "-d", f"type={event_type}")["data"]
