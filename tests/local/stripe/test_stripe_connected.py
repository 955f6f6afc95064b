"""The `Stripe-Account` header: each account has its own objects, balance, events and keys."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, error_of


def on(account: str, **more: Any) -> stripe.RequestOptions:
    """Return the options of a request that acts for an account."""
    options: Any = {"stripe_account": account, **more}
    chosen: stripe.RequestOptions = options
    return chosen


def test_accounts_see_their_own_objects_only(api: Api, client: stripe.StripeClient) -> None:
    mine, other = api.connected(), api.connected()
    customer = client.v1.customers.create({"email": "scope@example.com"}, on(mine))
    found = client.v1.customers.list({"email": "scope@example.com"}, on(mine))
    assert [entry.id for entry in found.data] == [customer.id]
    assert client.v1.customers.list({"email": "scope@example.com"}).data == []
    for options in (on(other), None):
        with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
            client.v1.customers.retrieve(customer.id, options=options)
        with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
            client.v1.customers.update(customer.id, {"name": "x"}, options)
    assert client.v1.customers.retrieve(customer.id, options=on(mine)).id == customer.id


def test_accounts_have_their_own_balance(api: Api, client: stripe.StripeClient) -> None:
    mine, other = api.connected(), api.connected()
    api.fund(700, mine)
    assert client.v1.balance.retrieve(options=on(mine)).available[0].amount == 700
    assert client.v1.balance.retrieve(options=on(other)).available[0].amount == 0
    (entry,) = client.v1.balance_transactions.list({"expand": ["data.source"]}, on(mine)).data
    shown = entry.to_dict()
    assert (shown["type"], shown["source"]["object"], shown["net"]) == ("topup", "topup", 700)
    with pytest.raises(stripe.InvalidRequestError, match="No such balance transaction"):
        client.v1.balance_transactions.retrieve(entry.id)


def test_accounts_have_their_own_events(api: Api, client: stripe.StripeClient) -> None:
    mine = api.connected()
    customer = client.v1.customers.create({}, on(mine))
    newest = client.v1.events.list({"limit": 1}, on(mine)).data[0]
    assert (newest.account, newest.data.object["id"]) == (mine, customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(newest.id)


def test_accounts_have_their_own_idempotency_keys(api: Api, client: stripe.StripeClient) -> None:
    mine, other = api.connected(), api.connected()
    platform = client.v1.accounts.retrieve_current().id
    made = [
        client.v1.customers.create({}, on(account, idempotency_key="scope-42")).id
        for account in (mine, other, platform, mine)
    ]
    assert len(set(made)) == 3
    assert made[0] == made[3]


def test_account_sees_itself(api: Api, client: stripe.StripeClient) -> None:
    mine, other = api.connected(), api.connected()
    assert client.v1.accounts.retrieve_current(options=on(mine)).id == mine
    assert client.v1.accounts.retrieve(mine, options=on(mine)).id == mine
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve(other, options=on(mine))
    with pytest.raises(stripe.InvalidRequestError, match="signed up for Connect"):
        client.v1.accounts.create({}, on(mine))


def test_platform_may_name_itself(client: stripe.StripeClient) -> None:
    platform = client.v1.accounts.retrieve_current().id
    assert client.v1.accounts.retrieve(platform).id == platform
    customer = client.v1.customers.create({}, on(platform))
    assert client.v1.customers.retrieve(customer.id).id == customer.id


def test_header_is_echoed(api: Api) -> None:
    account = api.connected()
    answer = api.http("GET", "/v1/balance", **{"Stripe-Account": account})
    assert answer.headers["Stripe-Account"] == account


@pytest.mark.parametrize("account", ["acct_no", "nonsense", "cus_1"])
def test_unknown_account_is_forbidden(client: stripe.StripeClient, account: str) -> None:
    options = on(account, idempotency_key="scope-43")
    for _ in range(2):
        with pytest.raises(stripe.PermissionError) as refused:
            client.v1.customers.create({}, options)
        assert (refused.value.http_status, error_of(refused)["code"]) == (403, "account_invalid")
        assert f"does not have access to account '{account}'" in str(refused.value)


def test_deleted_account_is_forbidden(api: Api, client: stripe.StripeClient) -> None:
    account = api.connected()
    client.v1.accounts.delete(account)
    with pytest.raises(stripe.PermissionError, match="does not have access"):
        client.v1.balance.retrieve(options=on(account))
