"""Payouts: money that leaves for a bank, arrives, or comes back."""

from typing import Any

import httpx
import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, Receiver, eventually

PAYOUT: Any = {"amount": 500, "currency": "usd"}


def on(account: str, **more: Any) -> stripe.RequestOptions:
    """Return the options of a request that acts for an account."""
    options: Any = {"stripe_account": account, **more}
    chosen: stripe.RequestOptions = options
    return chosen


@pytest.fixture
def payee(api: Api) -> str:
    """Return an account with ten dollars whose payouts wait for the test to decide."""
    account = api.connected()
    api.fund(1000, account)
    api.control("POST", f"accounts/{account}/payouts", {"outcome": "held"})
    return account


def settle(api: Api, payout: stripe.Payout, outcome: str, **more: str) -> Any:
    """Decide how a payout ended."""
    return api.control("POST", f"payouts/{payout.id}/settle", {"outcome": outcome, **more})


def available(client: stripe.StripeClient, account: str) -> int:
    """Return how many cents an account has available."""
    amount: int = client.v1.balance.retrieve(options=on(account)).available[0].amount
    return amount


def types(client: stripe.StripeClient, account: str) -> list[str]:
    """Return the types of an account's events about payouts, oldest first."""
    events = client.v1.events.list({"type": "payout.*", "limit": 100}, on(account)).data
    return [event.type for event in events[::-1]]


def test_payout_takes_money_from_the_balance(client: stripe.StripeClient, payee: str) -> None:
    payout = client.v1.payouts.create(
        PAYOUT
        | {
            "method": "instant",
            "metadata": {"run": "1"},
            "description": "Week 47",
            "statement_descriptor": "RIDENDINE",
            "expand": ["balance_transaction", "destination"],
        },
        on(payee),
    )
    shown = payout.to_dict()
    assert (shown["status"], shown["automatic"], shown["method"]) == ("pending", False, "instant")
    assert shown["destination"]["last4"] == "6789"
    booked = shown["balance_transaction"]
    assert (booked["type"], booked["amount"], booked["source"]) == ("payout", -500, payout.id)
    assert available(client, payee) == 500
    with pytest.raises(stripe.InvalidRequestError, match="No such payout"):
        client.v1.payouts.retrieve(payout.id)


def test_payout_is_paid_by_itself(api: Api, client: stripe.StripeClient) -> None:
    account = api.connected()
    api.fund(1000, account)
    payout = client.v1.payouts.create(PAYOUT, on(account))
    assert payout.status == "pending"
    eventually(lambda: client.v1.payouts.retrieve(payout.id, options=on(account)).status == "paid")
    assert types(client, account) == ["payout.created", "payout.updated", "payout.paid"]


def test_payout_fails_by_itself_if_told_so(api: Api, client: stripe.StripeClient) -> None:
    account = api.connected()
    api.fund(1000, account)
    api.control("POST", f"accounts/{account}/payouts", {"outcome": "failed"})
    payout = client.v1.payouts.create(PAYOUT, on(account))
    api.control("POST", "clock", {"advance_seconds": 1})
    failed = client.v1.payouts.retrieve(payout.id, options=on(account))
    assert (failed.status, failed.failure_code) == ("failed", "could_not_process")


def test_payout_to_a_bank_that_takes_none_fails(api: Api, client: stripe.StripeClient) -> None:
    bank: Any = {"object": "bank_account", "country": "US", "account_number": "000111111116"}
    account = client.v1.accounts.create({"external_account": bank}).id
    api.control("POST", f"accounts/{account}", {"outcome": "finished"})
    api.fund(1000, account)
    payout = client.v1.payouts.create(PAYOUT, on(account))
    api.control("POST", "clock", {"advance_seconds": 1})
    failed = client.v1.payouts.retrieve(payout.id, options=on(account))
    assert (failed.status, failed.failure_code) == ("failed", "no_account")


def test_failed_payout_gives_the_money_back(
    api: Api, client: stripe.StripeClient, payee: str
) -> None:
    payout = client.v1.payouts.create(PAYOUT, on(payee))
    settle(api, payout, "failed", failure_code="account_closed")
    failed = client.v1.payouts.retrieve(payout.id, options=on(payee))
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert failed.failure_message == "The bank account has been closed."
    returned = client.v1.balance_transactions.retrieve(
        str(failed.failure_balance_transaction), options=on(payee)
    )
    assert (returned.type, returned.amount, returned.source) == ("payout_failure", 500, payout.id)
    assert available(client, payee) == 1000
    assert types(client, payee) == ["payout.created", "payout.updated", "payout.failed"]


def test_paid_payout_may_fail_later(api: Api, client: stripe.StripeClient, payee: str) -> None:
    payout = client.v1.payouts.create(PAYOUT, on(payee))
    for _ in range(2):
        assert settle(api, payout, "paid")["status"] == "paid"
    assert available(client, payee) == 500
    for _ in range(2):
        assert settle(api, payout, "failed")["status"] == "failed"
    assert available(client, payee) == 1000
    assert types(client, payee)[2:] == ["payout.paid", "payout.updated", "payout.failed"]
    with pytest.raises(httpx.HTTPStatusError) as refused:
        settle(api, payout, "paid")
    assert refused.value.response.status_code == 400


def test_unknown_failure_is_refused(api: Api, client: stripe.StripeClient, payee: str) -> None:
    payout = client.v1.payouts.create(PAYOUT, on(payee))
    with pytest.raises(httpx.HTTPStatusError) as refused:
        settle(api, payout, "failed", failure_code="bad_mood")
    assert refused.value.response.status_code == 422
    assert client.v1.payouts.retrieve(payout.id, options=on(payee)).status == "pending"


def test_held_payout_can_be_cancelled(client: stripe.StripeClient, payee: str) -> None:
    payout = client.v1.payouts.create(PAYOUT, on(payee))
    cancelled = client.v1.payouts.cancel(payout.id, options=on(payee))
    assert cancelled.status == "canceled"
    assert available(client, payee) == 1000
    assert types(client, payee) == ["payout.created", "payout.updated", "payout.canceled"]
    with pytest.raises(stripe.InvalidRequestError, match="cannot be canceled"):
        client.v1.payouts.cancel(payout.id, options=on(payee))
    assert available(client, payee) == 1000


def test_payout_of_more_than_is_there_is_refused(client: stripe.StripeClient, payee: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="insufficient funds") as refused:
        client.v1.payouts.create(PAYOUT | {"amount": 1001}, on(payee))
    assert refused.value.code == "balance_insufficient"
    assert client.v1.payouts.list({}, on(payee)).data == []
    assert available(client, payee) == 1000


def test_payout_of_a_restricted_account_is_refused(
    api: Api, client: stripe.StripeClient, payee: str
) -> None:
    api.control("POST", f"accounts/{payee}", {"outcome": "restricted"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payouts.create(PAYOUT, on(payee))
    assert refused.value.code == "payouts_not_allowed"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"currency": "eur"}, "currency"),
        ({"destination": "ba_no"}, "destination"),
        ({"amount": 0}, "amount"),
        ({"method": "pigeon"}, "method"),
    ],
)
def test_bad_payout_is_refused(
    client: stripe.StripeClient, payee: str, change: Any, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payouts.create(PAYOUT | change, on(payee))
    assert refused.value.param == param


def test_payouts_are_changed_and_listed(api: Api, client: stripe.StripeClient, payee: str) -> None:
    first, second = (client.v1.payouts.create(PAYOUT, on(payee)) for _ in range(2))
    client.v1.payouts.update(first.id, {"metadata": {"run": "2"}}, on(payee))
    settle(api, second, "paid")
    listed = client.v1.payouts.list({"status": "pending"}, on(payee)).to_dict()["data"]
    assert [(entry["id"], entry["metadata"]) for entry in listed] == [(first.id, {"run": "2"})]
    everything = client.v1.payouts.list({"created": {"gte": first.created}}, on(payee))
    assert [entry.id for entry in everything.data] == [second.id, first.id]


def test_transactions_of_a_manual_payout_are_not_known(
    client: stripe.StripeClient, payee: str
) -> None:
    payout = client.v1.payouts.create(PAYOUT, on(payee))
    with pytest.raises(stripe.InvalidRequestError, match="only be filtered on automatic"):
        client.v1.balance_transactions.list({"payout": payout.id}, on(payee))
    (entry,) = client.v1.balance_transactions.list(
        {"source": payout.id, "type": "payout", "expand": ["data.source"]}, on(payee)
    ).data
    assert isinstance(entry.source, stripe.Payout)


def test_platform_pays_itself_out(fresh: Api) -> None:
    client = fresh.client()
    fresh.fund(1000)
    payout = client.v1.payouts.create(PAYOUT)
    eventually(lambda: client.v1.payouts.retrieve(payout.id).status == "paid")
    assert client.v1.balance.retrieve().available[0].amount == 500


def test_connect_endpoints_hear_of_payouts(fresh: Api, receiver: Receiver) -> None:
    client = fresh.client()
    client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["payout.paid"], "connect": True}
    )
    account = fresh.connected()
    fresh.fund(1000, account)
    payout = client.v1.payouts.create(PAYOUT, on(account))
    event = receiver.next()
    assert (event["account"], event["data"]["object"]["id"]) == (account, payout.id)
    assert event["data"]["object"]["status"] == "paid"


def test_retry_with_the_same_key_pays_out_once(fresh: Api) -> None:
    account = fresh.connected()
    fresh.fund(1000, account)
    fresh.fault("POST /v1/payouts", "drop_after", times=2)
    persistent = fresh.client(max_network_retries=3)
    payout = persistent.v1.payouts.create(PAYOUT, on(account, idempotency_key="payout-42"))
    client = fresh.client()
    assert [made.id for made in client.v1.payouts.list({}, on(account)).data] == [payout.id]
    assert available(client, account) == 500
