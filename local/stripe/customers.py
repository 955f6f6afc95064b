"""Customers: who pays, and which payment methods they saved."""

from local.stripe import clock, contact, events, paging, payment_methods
from local.stripe.errors import InvalidParameter, MissingResource
from local.stripe.operations import Operation, retrieving
from local.stripe.paging import PAGE, equals
from local.stripe.params import (
    Params,
    Spec,
    clearable,
    list_of,
    mapping,
    merged,
    metadata,
    one_of,
    text,
)
from local.stripe.resources import (
    CUSTOMER,
    PAYMENT_METHOD,
    random_text,
    referenced,
    retrieve,
)
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/customers"
ONE = f"{PATH}/{{object_id}}"

DETAILS: Spec = {
    "address": clearable(mapping(contact.ADDRESS)),
    "description": clearable(text),
    "email": clearable(text),
    "invoice_settings": mapping({"default_payment_method": clearable(text)}),
    "metadata": metadata,
    "name": clearable(text),
    "phone": clearable(text),
    "preferred_locales": list_of(text),
    "shipping": clearable(mapping(contact.SHIPPING)),
    "tax_exempt": one_of("exempt", "none", "reverse"),
}


def _create(tx: Transaction, params: Params) -> StripeObject:
    customer: StripeObject = {
        "id": CUSTOMER.new_id(),
        "object": CUSTOMER.name,
        "address": None,
        "balance": 0,
        "created": clock.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    tx.insert(customer)
    if "payment_method" in params:
        method = payment_methods.resolve(tx, params.pop("payment_method"))
        payment_methods.save(tx, method, customer["id"])
    tx.change(customer, **_changes(tx, customer, params))
    events.emit(tx, "customer.created", customer)
    return customer


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    customer = retrieve(tx, CUSTOMER, object_id, living=True)
    previous = tx.change(customer, **_changes(tx, customer, params))
    if previous:
        events.emit(tx, "customer.updated", customer, previous)
    return customer


def _delete(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    customer = retrieve(tx, CUSTOMER, object_id, living=True)
    for method in payment_methods.saved_to(tx, object_id):
        payment_methods.detach(tx, method)
    deleted = {"id": object_id, "object": CUSTOMER.name, "deleted": True}
    tx.replace(deleted)
    events.emit(tx, "customer.deleted", customer)
    return deleted


def _list_methods(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    retrieve(tx, CUSTOMER, object_id, living=True)
    wanted = [equals("customer", object_id)]
    if "type" in params:
        wanted.append(equals("type", params["type"]))
    return paging.page(tx, PAYMENT_METHOD, f"{PATH}/{object_id}/payment_methods", params, wanted)


def _retrieve_method(tx: Transaction, _: Params, object_id: str, method_id: str) -> StripeObject:
    retrieve(tx, CUSTOMER, object_id, living=True)
    method = retrieve(tx, PAYMENT_METHOD, method_id)
    if method["customer"] != object_id:
        raise MissingResource(
            f"No such PaymentMethod: '{method_id}'; It's possible this PaymentMethod belongs to "
            "another customer.",
            code="resource_missing",
            param=PAYMENT_METHOD.url_param,
        )
    return method


def _changes(tx: Transaction, customer: StripeObject, params: Params) -> StripeObject:
    """Return the fields of a customer that `params` change, in full."""
    changes = dict(params)
    if "metadata" in changes:
        changes["metadata"] = merged(customer["metadata"], changes["metadata"])
    if "address" in changes:
        changes["address"] = changes["address"] and contact.address(changes["address"])
    if "shipping" in changes:
        changes["shipping"] = contact.shipping(changes["shipping"])
    if "invoice_settings" in changes:
        _check_default(tx, customer["id"], changes["invoice_settings"])
        changes["invoice_settings"] = customer["invoice_settings"] | changes["invoice_settings"]
    return changes


def _check_default(tx: Transaction, customer_id: str, settings: Params) -> None:
    """Refuse a default payment method that is not the customer's."""
    method_id = settings.get("default_payment_method")
    if method_id is None:
        return
    param = "invoice_settings[default_payment_method]"
    if referenced(tx, PAYMENT_METHOD, method_id, param)["customer"] != customer_id:
        raise InvalidParameter(
            f"The customer does not have a payment method with the ID {method_id}. The payment "
            "method must be attached to the customer.",
            code="resource_missing",
            param=param,
        )


OPERATIONS = (
    Operation("POST", PATH, _create, {**DETAILS, "payment_method": text}),
    paging.listing(CUSTOMER, PATH, email=text),
    retrieving(CUSTOMER, PATH),
    Operation("POST", ONE, _update, DETAILS),
    Operation("DELETE", ONE, _delete),
    Operation("GET", f"{ONE}/payment_methods", _list_methods, {**PAGE, "type": one_of("card")}),
    Operation("GET", f"{ONE}/payment_methods/{{method_id}}", _retrieve_method),
)
