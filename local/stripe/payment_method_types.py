"""Which kinds of payment methods an intent accepts: Stripe's choice, or the merchant's list.

Only cards exist here, so whatever else is allowed drops out, as what does not fit always does.
"""

from local.stripe.errors import InvalidParameter
from local.stripe.params import Params, Required, Spec, boolean, list_of, mapping, one_of, text
from local.stripe.store import StripeObject, Transaction

AVAILABLE = ("card",)

# From this API version on, `payment_method_types` is an answer only, no longer a parameter.
READ_ONLY_SINCE = "2026-09-30"

LISTED: Spec = {
    "allowed_payment_method_types": list_of(text),
    "payment_method_types": list_of(one_of(*AVAILABLE)),
}
AUTOMATIC: Spec = {
    "automatic_payment_methods": mapping(
        {"allow_redirects": one_of("always", "never"), "enabled": Required(boolean)}
    ),
}


def by_default() -> StripeObject:
    """Return the fields of an intent that leaves the choice to Stripe."""
    return {
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "payment_method_types": list(AVAILABLE),
    }


def chosen(tx: Transaction, params: Params) -> StripeObject:
    """Return the fields that `params` change."""
    given = [name for name in (*LISTED, *AUTOMATIC) if name in params]
    if not given:
        return {}
    if len(given) > 1:
        raise InvalidParameter(
            f"You may only specify one of these parameters: {', '.join(given)}.", param=given[1]
        )
    match given[0]:
        case "automatic_payment_methods":
            wanted = {"allow_redirects": "always", **params[given[0]]}
            return {"automatic_payment_methods": wanted if wanted["enabled"] else None}
        case "allowed_payment_method_types":
            return _allowed(params[given[0]])
        case _:
            _check_version(tx)
            return {"automatic_payment_methods": None, "payment_method_types": params[given[0]]}


def may_redirect(intent: StripeObject) -> bool:
    """Tell whether the customer may have to leave the page to pay."""
    automatic = intent["automatic_payment_methods"] or {}
    return bool(automatic.get("allow_redirects") == "always")


def _allowed(names: list[str]) -> StripeObject:
    accepted = [name for name in names if name in AVAILABLE]
    if not accepted:
        raise InvalidParameter(
            "No valid payment method types for this Payment Intent. Please ensure that you have "
            "activated payment methods compatible with your chosen currency in your dashboard.",
            param="allowed_payment_method_types",
        )
    return {
        "allowed_payment_method_types": names,
        "automatic_payment_methods": None,
        "payment_method_types": accepted,
    }


def _check_version(tx: Transaction) -> None:
    if tx.origin.api_version >= READ_ONLY_SINCE:
        raise InvalidParameter(
            "The `payment_method_types` parameter is no longer supported in API version "
            f"{tx.origin.api_version}. Use `allowed_payment_method_types` or dynamic payment "
            "methods instead.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
