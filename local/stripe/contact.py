"""Addresses and who lives there: the parameters, and the fields they become."""

from local.stripe.params import Params, Required, Spec, clearable, mapping, text
from local.stripe.store import StripeObject

ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")
BILLING_FIELDS = ("email", "name", "phone", "tax_id")
SHIPPING_FIELDS = ("carrier", "phone", "tracking_number")

OPTIONAL = clearable(text)
ADDRESS: Spec = dict.fromkeys(ADDRESS_FIELDS, OPTIONAL)
BILLING_DETAILS: Spec = {
    **dict.fromkeys(BILLING_FIELDS, OPTIONAL),
    "address": clearable(mapping(ADDRESS)),
}
SHIPPING: Spec = {
    **dict.fromkeys(SHIPPING_FIELDS, OPTIONAL),
    "address": Required(mapping(ADDRESS)),
    "name": Required(text),
}


def address(given: Params | None) -> StripeObject:
    """Return an address with every field, null where nothing was given."""
    return dict.fromkeys(ADDRESS_FIELDS) | (given or {})


def billing_details(given: Params | None) -> StripeObject:
    """Return the billing details of a payment method with every field."""
    details = dict.fromkeys(BILLING_FIELDS) | (given or {})
    return details | {"address": address(details.get("address"))}


def shipping(given: Params | None) -> StripeObject | None:
    """Return who gets the goods and where, with every field; null if nothing was given."""
    if given is None:
        return None
    return dict.fromkeys(SHIPPING_FIELDS) | given | {"address": address(given["address"])}
