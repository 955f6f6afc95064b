"""The account that the API key belongs to."""

from local.stripe.store import StripeObject

# The version of the API that a request speaks unless it says otherwise, and that events are in.
API_VERSION = "2026-08-26.dahlia"

ACCOUNT: StripeObject = {
    "id": "acct_1RideNDineLocal",
    "object": "account",
    "business_type": "company",
    "capabilities": {"card_payments": "active", "transfers": "active"},
    "charges_enabled": True,
    "country": "US",
    "default_currency": "usd",
    "details_submitted": True,
    "email": "platform@example.com",
    "metadata": {},
    "payouts_enabled": True,
    "type": "standard",
}
