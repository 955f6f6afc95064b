"""Lists and `expand`: pages in both directions, filters, objects in place of their ids."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, eventually

COUNT = 7


@pytest.fixture
def mine(client: stripe.StripeClient) -> list[str]:
    """Return the ids of a few intents of one new customer, newest first, after its id."""
    customer = client.v1.customers.create({})
    made = [
        client.v1.payment_intents.create(
            {"amount": 100 + number, "currency": "usd", "customer": customer.id}
        ).id
        for number in range(COUNT)
    ]
    return [customer.id, *made[::-1]]


def ids(page: Any) -> list[str]:
    """Return the ids on a page."""
    return [item.id for item in page.data]


def test_list_is_newest_first(client: stripe.StripeClient, mine: list[str]) -> None:
    customer, *intents = mine
    page = client.v1.payment_intents.list({"customer": customer})
    assert (ids(page), page.has_more, page.url) == (intents, False, "/v1/payment_intents")


@pytest.mark.parametrize("limit", [1, 3, COUNT, COUNT + 1])
def test_pages_forward_show_everything_once(
    client: stripe.StripeClient, mine: list[str], limit: int
) -> None:
    customer, *intents = mine
    pages = client.v1.payment_intents.list({"customer": customer, "limit": limit})
    assert [intent.id for intent in pages.auto_paging_iter()] == intents


@pytest.mark.parametrize("limit", [1, 3, COUNT, COUNT + 1])
def test_pages_backward_show_everything_once(
    client: stripe.StripeClient, mine: list[str], limit: int
) -> None:
    customer, *intents = mine
    pages = client.v1.payment_intents.list(
        {"customer": customer, "limit": limit, "ending_before": intents[-1]}
    )
    assert [intent.id for intent in pages.auto_paging_iter()] == intents[-2::-1]


def test_page_before_an_object_is_the_one_next_to_it(
    client: stripe.StripeClient, mine: list[str]
) -> None:
    customer, *intents = mine
    page = client.v1.payment_intents.list(
        {"customer": customer, "limit": 2, "ending_before": intents[4]}
    )
    assert (ids(page), page.has_more) == (intents[2:4], True)


def test_page_holds_ten_unless_told_otherwise(client: stripe.StripeClient) -> None:
    for _ in range(11):
        client.v1.customers.create({"email": "eleven@example.com"})
    page = client.v1.customers.list({"email": "eleven@example.com"})
    assert (len(page.data), page.has_more) == (10, True)


@pytest.mark.parametrize(
    ("parameters", "code", "param"),
    [
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "ch_no"}, "resource_missing", "starting_after"),
        ({"ending_before": "ch_no"}, "resource_missing", "ending_before"),
        ({"starting_after": "ch_1", "ending_before": "ch_2"}, None, "ending_before"),
        ({"created": {"around": 1}}, "parameter_unknown", "created[around]"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
def test_bad_page_is_refused(
    client: stripe.StripeClient, parameters: Any, code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.list(parameters)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_charges_are_listed_by_what_they_belong_to(api: Api, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    paid = api.paid(customer=customer.id, transfer_group="order-of-lists")
    api.paid()
    for by in (
        {"customer": customer.id},
        {"payment_intent": paid.id},
        {"transfer_group": "order-of-lists"},
    ):
        parameters: Any = by
        assert ids(client.v1.charges.list(parameters)) == [paid.latest_charge]


def test_list_is_filtered_by_time(client: stripe.StripeClient) -> None:
    def found(email: str, created: Any) -> list[str]:
        return ids(client.v1.customers.list({"email": email, "created": created}))

    first = client.v1.customers.create({"email": "first@example.com"})
    later = eventually(lambda: _later_than(client, first))
    assert found("first@example.com", {"gte": first.created, "lt": later.created}) == [first.id]
    assert found("first@example.com", {"gt": first.created}) == []
    assert found("later@example.com", {"gt": first.created, "lte": later.created}) == [later.id]
    assert found("later@example.com", later.created) == [later.id]


def _later_than(client: stripe.StripeClient, first: stripe.Customer) -> stripe.Customer | None:
    """Return a new customer if the clock has moved on by a second."""
    customer = client.v1.customers.create({"email": "later@example.com"})
    return customer if customer.created > first.created else None


def test_objects_take_the_place_of_their_ids(api: Api, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    paid = api.paid(customer=customer.id)
    shown = client.v1.payment_intents.retrieve(
        paid.id,
        {"expand": ["customer", "payment_method", "latest_charge.balance_transaction.source"]},
    ).to_dict()
    assert shown["customer"]["name"] == "Ada"
    assert shown["payment_method"]["card"]["last4"] == "4242"
    charge = shown["latest_charge"]
    assert charge["balance_transaction"]["source"]["id"] == charge["id"]
    assert charge["customer"] == customer.id


def test_objects_take_the_place_of_their_ids_in_lists(
    api: Api, client: stripe.StripeClient
) -> None:
    paid = api.paid()
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    page = client.v1.refunds.list(
        {"payment_intent": paid.id, "expand": ["data.charge", "data.payment_intent"]}
    )
    (shown,) = page.to_dict()["data"]
    assert shown["id"] == refund.id
    assert (shown["charge"]["id"], shown["payment_intent"]["id"]) == (
        paid.latest_charge,
        paid.id,
    )


def test_missing_object_stays_null_when_expanded(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "expand": ["latest_charge.customer", "customer"]}
    )
    assert (made.latest_charge, made.customer) == (None, None)


@pytest.mark.parametrize(
    "path", ["colour", "amount", "data.customer", "latest_charge.colour", "a.b.c.d.e"]
)
def test_what_cannot_be_expanded_is_refused(
    api: Api, client: stripe.StripeClient, path: str
) -> None:
    paid = api.paid()
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        client.v1.payment_intents.retrieve(paid.id, {"expand": [path]})


@pytest.mark.parametrize("path", ["customer", "data", "data.colour"])
def test_what_cannot_be_expanded_in_a_list_is_refused(
    api: Api, client: stripe.StripeClient, path: str
) -> None:
    paid = api.paid()
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.charges.list({"payment_intent": paid.id, "expand": [path]})


def test_nothing_is_done_if_the_answer_cannot_be_expanded(client: stripe.StripeClient) -> None:
    newest = ids(client.v1.payment_intents.list({"limit": 1}))
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.payment_intents.create({"amount": 2000, "currency": "usd", "expand": ["colour"]})
    assert ids(client.v1.payment_intents.list({"limit": 1})) == newest
