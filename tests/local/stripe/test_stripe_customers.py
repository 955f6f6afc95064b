"""Customers: created, changed, deleted, found, and what they save."""

import pytest
import stripe

from tests.local.stripe.stripe_harness import events_about, types_about


def test_customer_has_what_it_was_given(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create(
        {
            "email": "ada@example.com",
            "name": "Ada",
            "phone": "+1 555 0100",
            "address": {"line1": "1 Main St", "city": "Springfield", "country": "US"},
            "shipping": {"name": "Ada", "address": {"line1": "2 Main St"}},
            "metadata": {"user": "42"},
        }
    )
    kept = client.v1.customers.retrieve(made.id)
    assert kept.to_dict() == made.to_dict()
    assert (kept.email, kept.name) == ("ada@example.com", "Ada")
    assert kept.to_dict()["metadata"] == {"user": "42"}
    assert kept.address is not None
    assert kept.address.city == "Springfield"
    assert kept.address.state is None
    assert kept.shipping is not None
    assert kept.shipping.address is not None
    assert kept.shipping.address.line1 == "2 Main St"


def test_metadata_is_merged_and_unset(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = client.v1.customers.update(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.to_dict()["metadata"] == {"a": "1", "c": "3"}
    cleared = client.v1.customers.update(customer.id, {"metadata": ""})
    assert cleared.to_dict()["metadata"] == {}


def test_empty_string_unsets_a_field(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada", "description": "first"})
    changed = client.v1.customers.update(customer.id, {"description": ""})
    assert (changed.name, changed.description) == ("Ada", None)


def test_update_is_announced_with_what_was_before(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada", "metadata": {"a": "1", "b": "2"}})
    client.v1.customers.update(customer.id, {"name": "Eve", "metadata": {"b": "3", "c": "4"}})
    created, updated = events_about(client, customer.id)
    assert (created["type"], updated["type"]) == ("customer.created", "customer.updated")
    assert created["data"]["object"]["name"] == "Ada"
    assert updated["data"]["object"]["name"] == "Eve"
    assert updated["data"]["previous_attributes"] == {
        "name": "Ada",
        "metadata": {"b": "2", "c": None},
    }


def test_update_that_changes_nothing_is_not_announced(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(customer.id, {"name": "Ada"})
    assert types_about(client, customer.id) == ["customer.created"]


def test_deleted_customer_is_a_stub_that_lists_leave_out(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "gone@example.com"})
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert client.v1.customers.delete(customer.id).deleted
    stub = client.v1.customers.retrieve(customer.id)
    assert stub.to_dict() == {"id": customer.id, "object": "customer", "deleted": True}
    assert client.v1.customers.list({"email": "gone@example.com"}).data == []
    assert client.v1.payment_methods.retrieve(saved.id).customer is None
    assert types_about(client, customer.id) == [
        "customer.created",
        "customer.deleted",
    ]


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_deleted_customer_cannot_be_touched(client: stripe.StripeClient, verb: str) -> None:
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as refused:
        getattr(client.v1.customers, verb)(customer.id)
    assert refused.value.http_status == 404


def test_deleted_customer_cannot_be_charged(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": customer.id}
        )


def test_customer_is_made_with_a_payment_method(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_mastercard"})
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    assert method.card is not None
    assert method.card.brand == "mastercard"
    chosen = client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    assert chosen.invoice_settings is not None
    assert chosen.invoice_settings.default_payment_method == method.id


def test_customer_is_not_made_if_the_card_is_declined(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError):
        client.v1.customers.create(
            {"email": "declined@example.com", "payment_method": "pm_card_chargeDeclined"}
        )
    assert client.v1.customers.list({"email": "declined@example.com"}).data == []


def test_default_payment_method_must_be_the_customers(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    strangers = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        client.v1.customers.update(
            customer.id, {"invoice_settings": {"default_payment_method": strangers.id}}
        )


def test_customers_are_listed_by_email(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create({"email": "find.me@example.com"})
    client.v1.customers.create({"email": "not.me@example.com"})
    found = client.v1.customers.list({"email": "find.me@example.com"})
    assert [customer.id for customer in found.data] == [made.id]
