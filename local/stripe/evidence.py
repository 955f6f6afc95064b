"""The evidence that answers a dispute, and what it brings about in test mode."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from local.stripe.errors import InvalidParameter
from local.stripe.forms import FormValue
from local.stripe.params import Params, Spec, clearable, long_text, text
from local.stripe.store import StripeObject

MAX_FIELD = 20_000
MAX_TOTAL = 150_000

LONG_FIELDS = (
    "access_activity_log",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "duplicate_charge_explanation",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "uncategorized_text",
)
SHORT_FIELDS = (
    "billing_address",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_id",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
)
FILE_FIELDS = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)

# How a bank decides.
Outcome: TypeAlias = Literal["won", "lost", "escalated"]

# What it decides if the uncategorized text says so.
OUTCOMES: Mapping[str, Outcome] = {
    "winning_evidence": "won",
    "losing_evidence": "lost",
    "escalate_inquiry_evidence": "escalated",
}


def _file(param: str, value: FormValue) -> str:
    # Files are not uploaded here, so none exists.
    raise InvalidParameter(
        f"No such file upload: '{text(param, value)}'", code="resource_missing", param=param
    )


FIELDS: Spec = {
    **dict.fromkeys(LONG_FIELDS, long_text(at_most=MAX_FIELD)),
    **dict.fromkeys(SHORT_FIELDS, clearable(text)),
    **dict.fromkeys(FILE_FIELDS, clearable(_file)),
}


def blank() -> StripeObject:
    """Return the evidence of a dispute that nobody answered."""
    return {**dict.fromkeys(sorted(FIELDS)), "enhanced_evidence": {}}


def added(before: StripeObject, given: Params) -> StripeObject:
    """Return the evidence after an update."""
    evidence = before | given
    if sum(len(evidence[name] or "") for name in FIELDS) > MAX_TOTAL:
        raise InvalidParameter(
            f"The combined character count of all evidence is limited to {MAX_TOTAL:,}.",
            param="evidence",
        )
    return evidence


def is_there(evidence: StripeObject) -> bool:
    """Tell whether anything was given."""
    return any(evidence[name] is not None for name in FIELDS)
