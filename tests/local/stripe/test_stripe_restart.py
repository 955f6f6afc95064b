"""Killing the server loses nothing that anybody was told."""

import sqlite3
from pathlib import Path

import pytest
import stripe

from local.stripe import clock
from tests.local.stripe.stripe_harness import Api, Receiver, Stage, eventually, order, process

KEY: stripe.RequestOptions = {"idempotency_key": "order-42"}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return where the server keeps everything."""
    return tmp_path / "stripe.sqlite"


def pay(api: Api) -> stripe.PaymentIntent:
    """Pay with an Idempotency-Key."""
    parameters = order(payment_method="pm_card_visa", confirm=True)
    return api.client().v1.payment_intents.create(parameters, KEY)


def test_killed_server_remembers_objects_keys_and_deliveries(
    state: Path, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    with process(state, retry_seconds=0.2) as (api, running):
        endpoint = api.client().v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["payment_intent.succeeded"]}
        )
        paid = pay(api)
        refused = receiver.next()
        running.kill()
    receiver.answer = lambda _: 200
    with process(state) as (api, _):
        client = api.client()
        assert client.v1.payment_intents.retrieve(paid.id).to_dict() == paid.to_dict()
        assert pay(api).to_dict() == paid.to_dict()
        assert [charge.id for charge in client.v1.charges.list().data] == [paid.latest_charge]
        assert client.v1.balance.retrieve().pending[0].amount == 1912
        received = receiver.arrived.get(timeout=10)
        event = stripe.Webhook.construct_event(
            received.payload, received.signature, str(endpoint.secret)
        )
        assert (event.id, event.data.object["id"]) == (refused["id"], paid.id)
        (delivery,) = eventually(lambda: api.deliveries(status="delivered"))
        assert len(delivery["attempts"]) >= 1


def test_server_killed_after_it_paid_does_not_pay_again(state: Path) -> None:
    with process(state) as (api, running):
        api.fault("POST /v1/payment_intents", "drop_after")
        with pytest.raises(stripe.APIConnectionError):
            pay(api)
        running.kill()
    with process(state) as (api, _):
        paid = pay(api)
        assert paid.last_response is not None
        assert paid.last_response.headers["Idempotent-Replayed"] == "true"
        assert len(api.client().v1.charges.list().data) == 1


def test_server_killed_before_it_paid_pays_on_the_next_try(state: Path) -> None:
    with process(state) as (api, running):
        api.fault("POST /v1/payment_intents", "drop_before")
        with pytest.raises(stripe.APIConnectionError):
            pay(api)
        running.kill()
    with process(state) as (api, _):
        pay(api)
        assert len(api.client().v1.charges.list().data) == 1


def test_deliveries_owed_by_a_killed_server_keep_their_order(
    state: Path, receiver: Receiver
) -> None:
    with process(state) as (api, running):
        api.client().v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        api.control("POST", "webhooks", {"paused": True})
        pay(api)
        running.kill()
    assert receiver.arrived.empty()
    with process(state) as (api, _):
        api.control("DELETE", "webhooks")
        assert receiver.types(4) == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]


def test_state_from_before_there_were_accounts_is_kept(stage: Stage, state: Path) -> None:
    with stage.play(state) as api:
        paid = api.paid(2000)
        api.paid(1000, "pm_card_bypassPending")
    forget_accounts(state)
    with stage.play(state) as api:
        client = api.client()
        assert client.v1.payment_intents.retrieve(paid.id).to_dict() == paid.to_dict()
        assert len(client.v1.charges.list({"payment_intent": paid.id}).data) == 1
        balance = client.v1.balance.retrieve()
        assert (balance.available[0].amount, balance.pending[0].amount) == (941, 1912)
        client.v1.refunds.create({"payment_intent": paid.id})
        assert client.v1.balance.retrieve().pending[0].amount == -88


def forget_accounts(state: Path) -> None:
    """Take from a file what it would not have had before objects belonged to accounts."""
    connection = sqlite3.connect(state)
    found = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'objects_by_%'"
    for (index,) in connection.execute(found).fetchall():
        connection.execute(f"DROP INDEX {index}")
    connection.execute("ALTER TABLE objects DROP COLUMN account")
    for table in ("funds", "clock", "payout_outcomes", "account_links"):
        connection.execute(f"DROP TABLE {table}")
    for column in ("charge", "customer", "payment_intent", "source", "transfer_group"):
        field = f"json_extract(body, '$.{column}')"
        connection.execute(f"CREATE INDEX objects_by_{column} ON objects (object, {field})")
    connection.execute("CREATE INDEX objects_by_kind ON objects (object, sequence)")
    connection.close()


def test_killed_server_remembers_accounts_money_and_time(state: Path) -> None:
    with process(state) as (api, running):
        account = api.connected()
        api.fund(3000)
        api.control("POST", f"accounts/{account}/payouts", {"outcome": "held"})
        api.control("POST", "clock", {"advance_seconds": clock.DAY})
        transfer = api.client().v1.transfers.create(
            {"amount": 2000, "currency": "usd", "destination": account}
        )
        options: stripe.RequestOptions = {"stripe_account": account}
        payout = api.client().v1.payouts.create({"amount": 500, "currency": "usd"}, options)
        running.kill()
    with process(state) as (api, _):
        client = api.client()
        assert client.v1.transfers.retrieve(transfer.id).to_dict() == transfer.to_dict()
        assert client.v1.payouts.retrieve(payout.id, options=options).to_dict() == payout.to_dict()
        assert client.v1.balance.retrieve().available[0].amount == 1000
        assert client.v1.balance.retrieve(options=options).available[0].amount == 1500
        assert api.control("GET", "clock")["ahead_seconds"] == clock.DAY
        later = client.v1.payouts.create({"amount": 500, "currency": "usd"}, options)
        api.control("POST", "clock", {"advance_seconds": clock.DAY})
        assert client.v1.payouts.retrieve(later.id, options=options).status == "pending"
