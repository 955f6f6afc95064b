"""Transfers and their reversals: money on both sides, to the cent, and never more than is there."""

from typing import Any

import pytest
import stripe

from local.stripe import clock
from tests.local.stripe.stripe_harness import Api, events_about


def available(client: stripe.StripeClient, account: str | None = None) -> int:
    """Return how many cents an account has available."""
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    amount: int = client.v1.balance.retrieve(options=options).available[0].amount
    return amount


def pending(client: stripe.StripeClient, account: str | None = None) -> int:
    """Return how many cents an account will have available."""
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    amount: int = client.v1.balance.retrieve(options=options).pending[0].amount
    return amount


def transferred(api: Api, amount: int = 2000, **more: Any) -> stripe.Transfer:
    """Return a transfer to a new account, paid from a top-up."""
    api.fund(amount)
    parameters: Any = {"amount": amount, "currency": "usd", "destination": api.connected(), **more}
    return api.client().v1.transfers.create(parameters)


def transactions(client: stripe.StripeClient, account: str) -> list[dict[str, Any]]:
    """Return an account's balance transactions and what they are about, oldest first."""
    listed = client.v1.balance_transactions.list(
        {"expand": ["data.source"]}, {"stripe_account": account}
    )
    entries: list[dict[str, Any]] = listed.to_dict()["data"]
    return entries[::-1]


def test_transfer_moves_available_money(fresh: Api) -> None:
    client = fresh.client()
    fresh.fund(5000)
    destination = fresh.connected()
    transfer = client.v1.transfers.create(
        {
            "amount": 2000,
            "currency": "usd",
            "destination": destination,
            "transfer_group": "order-42",
            "metadata": {"chef": "7"},
            "description": "Dinner",
        }
    )
    assert (transfer.amount, transfer.amount_reversed, transfer.reversed) == (2000, 0, False)
    assert (transfer.destination, transfer.transfer_group) == (destination, "order-42")
    assert available(client) == 3000
    assert available(client, destination) == 2000
    assert pending(client, destination) == 0


def test_transfer_is_booked_on_both_sides(api: Api, client: stripe.StripeClient) -> None:
    transfer = transferred(api)
    booked = client.v1.balance_transactions.retrieve(str(transfer.balance_transaction))
    assert (booked.type, booked.amount, booked.fee, booked.source) == (
        "transfer",
        -2000,
        0,
        transfer.id,
    )
    (received,) = transactions(client, str(transfer.destination))
    assert (received["type"], received["amount"], received["status"]) == (
        "payment",
        2000,
        "available",
    )
    payment = received["source"]
    assert payment["id"] == transfer.destination_payment
    assert payment["id"].startswith("py_")
    assert payment["source_transfer"] == transfer.id


def test_transfer_shows_what_belongs_to_it(api: Api, client: stripe.StripeClient) -> None:
    transfer = transferred(api)
    shown = client.v1.transfers.retrieve(
        transfer.id, {"expand": ["destination_payment.balance_transaction", "destination"]}
    ).to_dict()
    assert shown["destination_payment"]["balance_transaction"]["amount"] == 2000
    assert shown["destination"]["id"] == transfer.destination


def test_transfer_without_money_is_refused(fresh: Api) -> None:
    client = fresh.client()
    fresh.paid(10_000)
    destination = fresh.connected()
    parameters: Any = {"amount": 1, "currency": "usd", "destination": destination}
    with pytest.raises(stripe.InvalidRequestError, match="insufficient available funds") as refused:
        client.v1.transfers.create(parameters)
    assert (refused.value.http_status, refused.value.code) == (400, "balance_insufficient")
    assert client.v1.transfers.list().data == []
    assert available(client, destination) == 0


def test_money_is_transferred_to_the_last_cent(fresh: Api) -> None:
    fresh.fund(100)
    client = fresh.client()
    parameters: Any = {"amount": 100, "currency": "usd", "destination": fresh.connected()}
    client.v1.transfers.create(parameters)
    assert available(client) == 0
    with pytest.raises(stripe.InvalidRequestError, match="insufficient available funds"):
        client.v1.transfers.create(parameters | {"amount": 1})


def test_transfer_from_a_charge_waits_for_it(fresh: Api) -> None:
    client = fresh.client()
    charge = str(fresh.paid(2000, transfer_group="order-42").latest_charge)
    destination = fresh.connected()
    transfer = client.v1.transfers.create(
        {
            "amount": 1500,
            "currency": "usd",
            "destination": destination,
            "source_transaction": charge,
        }
    )
    assert (transfer.source_transaction, transfer.transfer_group) == (charge, "order-42")
    assert (available(client), pending(client)) == (0, 1912 - 1500)
    assert (available(client, destination), pending(client, destination)) == (0, 1500)
    fresh.control("POST", "clock", {"advance_seconds": 2 * clock.DAY})
    assert (available(client), available(client, destination)) == (412, 1500)


def test_transfers_from_a_charge_do_not_exceed_it(fresh: Api) -> None:
    client = fresh.client()
    parameters: Any = {
        "amount": 1500,
        "currency": "usd",
        "destination": fresh.connected(),
        "source_transaction": str(fresh.paid(2000).latest_charge),
    }
    client.v1.transfers.create(parameters)
    with pytest.raises(stripe.InvalidRequestError, match=r"must not exceed .* \$20.00"):
        client.v1.transfers.create(parameters | {"amount": 501})
    client.v1.transfers.create(parameters | {"amount": 500})


def test_transfer_from_money_that_is_only_held_is_refused(api: Api) -> None:
    held = api.paid(2000, capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError, match="not been captured"):
        transferred(api, source_transaction=str(held.latest_charge))


@pytest.mark.parametrize("destination", ["acct_nobody", "acct_1RideNDineLocal", "cus_no"])
def test_transfer_to_nobody_is_refused(api: Api, destination: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such destination") as refused:
        transferred(api, destination=destination)
    assert (refused.value.code, refused.value.param) == ("resource_missing", "destination")


def test_transfer_to_an_account_that_may_not_have_it_is_refused(
    api: Api, client: stripe.StripeClient
) -> None:
    account = client.v1.accounts.create({"capabilities": {"transfers": {"requested": True}}})
    with pytest.raises(stripe.InvalidRequestError, match="transfers, crypto_transfers") as refused:
        transferred(api, destination=account.id)
    assert refused.value.code == "insufficient_capabilities_for_transfer"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"currency": "xyz"}, "currency"),
        ({"source_transaction": "ch_no"}, "source_transaction"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_transfer_is_refused(api: Api, change: dict[str, Any], param: str) -> None:
    parameters: Any = {"currency": "usd", "destination": api.connected(), "amount": 100} | change
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.client().v1.transfers.create(parameters)
    assert refused.value.param == param


def test_transfer_is_changed_and_listed(api: Api, client: stripe.StripeClient) -> None:
    transfer = transferred(api, transfer_group="group-of-lists", metadata={"a": "1"})
    changed = client.v1.transfers.update(transfer.id, {"metadata": {"b": "2"}})
    assert changed.to_dict()["metadata"] == {"a": "1", "b": "2"}
    for parameters in (
        {"transfer_group": "group-of-lists"},
        {"destination": str(transfer.destination)},
    ):
        by: Any = parameters
        assert [found.id for found in client.v1.transfers.list(by).data] == [transfer.id]
    created, updated = events_about(client, transfer.id)
    assert (created["type"], updated["type"]) == ("transfer.created", "transfer.updated")
    assert "account" not in created
    assert updated["data"]["previous_attributes"] == {"metadata": {"b": None}}


def test_reversal_moves_money_back(fresh: Api) -> None:
    client = fresh.client()
    transfer = transferred(fresh)
    destination = str(transfer.destination)
    reversal = client.v1.transfers.reversals.create(
        transfer.id, {"amount": 500, "metadata": {"refund": "re_1"}}
    )
    assert (reversal.amount, reversal.transfer) == (500, transfer.id)
    assert (available(client), available(client, destination)) == (500, 1500)
    shown = client.v1.transfers.retrieve(transfer.id)
    assert (shown.amount_reversed, shown.reversed) == (500, False)
    assert [kept.id for kept in shown.reversals.data] == [reversal.id]
    booked = client.v1.balance_transactions.retrieve(str(reversal.balance_transaction))
    assert (booked.type, booked.amount) == ("transfer_refund", 500)
    source = client.v1.refunds.retrieve(
        str(reversal.destination_payment_refund),
        {"expand": ["source_transfer_reversal"]},
        {"stripe_account": destination},
    ).to_dict()["source_transfer_reversal"]
    assert source["id"] == reversal.id
    _, returned = transactions(client, destination)
    assert (returned["type"], returned["amount"]) == ("payment_refund", -500)
    assert returned["source"]["id"] == reversal.destination_payment_refund
    assert returned["source"]["id"].startswith("pyr_")
    assert events_about(client, transfer.id)[-1]["type"] == "transfer.reversed"


def test_reversals_add_up_to_the_transfer(api: Api, client: stripe.StripeClient) -> None:
    transfer = transferred(api)
    reversals = client.v1.transfers.reversals
    with pytest.raises(stripe.InvalidRequestError, match="greater than unreversed amount"):
        reversals.create(transfer.id, {"amount": 2001})
    first = reversals.create(transfer.id, {"amount": 1500})
    with pytest.raises(stripe.InvalidRequestError, match=r"unreversed .* \(\$5.00\)"):
        reversals.create(transfer.id, {"amount": 501})
    second = reversals.create(transfer.id)
    assert second.amount == 500
    shown = client.v1.transfers.retrieve(transfer.id)
    assert (shown.amount_reversed, shown.reversed) == (2000, True)
    with pytest.raises(stripe.InvalidRequestError, match="already been fully reversed"):
        reversals.create(transfer.id)
    assert [kept.id for kept in reversals.list(transfer.id).data] == [second.id, first.id]
    payment = client.v1.charges.retrieve(
        str(transfer.destination_payment), options={"stripe_account": str(transfer.destination)}
    )
    assert (payment.amount_refunded, payment.refunded) == (2000, True)


def test_reversal_is_changed_and_found(api: Api, client: stripe.StripeClient) -> None:
    transfer, other = transferred(api), transferred(api)
    reversals = client.v1.transfers.reversals
    made = reversals.create(transfer.id, {"amount": 1})
    reversals.update(transfer.id, made.id, {"metadata": {"a": "1"}})
    found = reversals.retrieve(transfer.id, made.id, {"expand": ["transfer"]}).to_dict()
    assert (found["metadata"], found["transfer"]["id"]) == ({"a": "1"}, transfer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such transfer reversal"):
        reversals.retrieve(other.id, made.id)


def test_reversal_of_money_that_is_gone_is_refused(api: Api, client: stripe.StripeClient) -> None:
    transfer = transferred(api)
    destination = str(transfer.destination)
    client.v1.payouts.create({"amount": 1600, "currency": "usd"}, {"stripe_account": destination})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.reversals.create(transfer.id, {"amount": 401})
    assert refused.value.code == "balance_insufficient"
    assert available(client, destination) == 400
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 0
    client.v1.transfers.reversals.create(transfer.id, {"amount": 400})
    assert available(client, destination) == 0


def test_transfer_that_waits_can_be_reversed(fresh: Api) -> None:
    client = fresh.client()
    charge = str(fresh.paid(2000).latest_charge)
    destination = fresh.connected()
    transfer = client.v1.transfers.create(
        {
            "amount": 1500,
            "currency": "usd",
            "destination": destination,
            "source_transaction": charge,
        }
    )
    client.v1.transfers.reversals.create(transfer.id)
    assert (pending(client), pending(client, destination)) == (1912, 0)


def test_payment_that_a_transfer_made_is_not_refunded(
    api: Api, client: stripe.StripeClient
) -> None:
    transfer = transferred(api)
    with pytest.raises(stripe.InvalidRequestError, match="Reverse the transfer"):
        client.v1.refunds.create(
            {"charge": str(transfer.destination_payment)},
            {"stripe_account": str(transfer.destination)},
        )


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_retry_with_the_same_key_transfers_once(fresh: Api, kind: str) -> None:
    fresh.fund(5000)
    destination = fresh.connected()
    fresh.fault("POST /v1/transfers", kind, times=2)
    transfer = fresh.client(max_network_retries=3).v1.transfers.create(
        {"amount": 2000, "currency": "usd", "destination": destination},
        {"idempotency_key": "transfer-42"},
    )
    client = fresh.client()
    assert [made.id for made in client.v1.transfers.list().data] == [transfer.id]
    assert (available(client), available(client, destination)) == (3000, 2000)


def test_replayed_refusal_stays_a_refusal(fresh: Api) -> None:
    client = fresh.client()
    parameters: Any = {"amount": 1, "currency": "usd", "destination": fresh.connected()}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.transfers.create(parameters, {"idempotency_key": "transfer-42"})
        assert refused.value.code == "balance_insufficient"
        fresh.fund(1)
    client.v1.transfers.create(parameters, {"idempotency_key": "transfer-43"})
