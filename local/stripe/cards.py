"""Stripe's documented test cards, and what each of them does.

A card is used by its number, as the PaymentMethod `pm_card_<name>` or as the token `tok_<name>`.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

RefundOutcome: TypeAlias = Literal["succeeded", "failed"]


@dataclass(frozen=True)
class Decline:
    """Why a card refuses to pay."""

    code: str
    decline_code: str
    message: str
    param: str | None = None
    # Refused by Stripe's own fraud prevention: the bank was never asked.
    blocked: bool = False


@dataclass(frozen=True)
class Complaint:
    """What a card's holder tells the bank against a charge."""

    reason: str
    # Whether the bank asks before it takes any money.
    inquiry: bool = False


@dataclass(frozen=True)
class Card:
    """A test card."""

    number: str
    names: tuple[str, ...] = ()
    brand: str = "visa"
    funding: str = "credit"
    decline: Decline | None = None
    # Whether it can be saved to a customer: most cards that decline are declined there already.
    attachable: bool = True
    # When 3-D Secure interrupts a payment: always, until the card was set up for later payments,
    # if the merchant asks for it, or never.
    authentication: Literal["always", "until_set_up", "on_request", "never"] = "never"
    # The status of a refund at first, and the one it takes some time later.
    refund: tuple[Literal["pending", "succeeded"], RefundOutcome] = ("succeeded", "succeeded")
    # Whether the money of a charge can be paid out at once, not after two days.
    bypasses_pending: bool = False
    # The dispute that follows upon a charge.
    complaint: Complaint | None = None

    @property
    def last4(self) -> str:
        """Return the last four digits."""
        return self.number[-4:]


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT_FUNDS = Decline(
    "card_declined", "insufficient_funds", "Your card has insufficient funds."
)
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "exp_month")
INCORRECT_CVC = Decline(
    "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "cvc"
)
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
VELOCITY_EXCEEDED = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit.",
)
FRAUDULENT = Decline("card_declined", "fraudulent", "Your card was declined.", blocked=True)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
AUTHENTICATION_NOT_HANDLED = Decline(
    "authentication_required",
    "authentication_not_handled",
    "This payment required an authentication action to complete, but `error_on_requires_action` "
    "was set. When you're ready, you can upgrade your integration to handle actions at "
    "https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.",
)
REAL_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. For "
    "a list of valid test cards, visit: https://stripe.com/docs/testing.",
)


def _declined(number: str, decline: Decline, *names: str) -> Card:
    return Card(number, names, decline=decline, attachable=False)


CARDS = (
    Card("4242424242424242", ("visa", "us")),
    Card("4000056655665556", ("visa_debit",), funding="debit"),
    Card("5555555555554444", ("mastercard",), brand="mastercard"),
    Card("5200828282828210", ("mastercard_debit",), brand="mastercard", funding="debit"),
    Card("5105105105105100", ("mastercard_prepaid",), brand="mastercard", funding="prepaid"),
    Card("378282246310005", ("amex",), brand="amex"),
    Card("6011111111111117", ("discover",), brand="discover"),
    Card("3056930009020004", ("diners",), brand="diners"),
    Card("3566002020360505", ("jcb",), brand="jcb"),
    Card("6200000000000005", ("unionpay",), brand="unionpay"),
    _declined("4000000000000002", GENERIC, "chargeDeclined", "visa_chargeDeclined"),
    _declined(
        "4000000000009995",
        INSUFFICIENT_FUNDS,
        "chargeDeclinedInsufficientFunds",
        "visa_chargeDeclinedInsufficientFunds",
    ),
    _declined("4000000000009987", LOST, "chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"),
    _declined(
        "4000000000009979", STOLEN, "chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"
    ),
    _declined(
        "4000000000000069",
        EXPIRED,
        "chargeDeclinedExpiredCard",
        "visa_chargeDeclinedExpiredCard",
    ),
    _declined(
        "4000000000000127",
        INCORRECT_CVC,
        "chargeDeclinedIncorrectCvc",
        "visa_chargeDeclinedIncorrectCvc",
    ),
    _declined(
        "4000000000000119",
        PROCESSING_ERROR,
        "chargeDeclinedProcessingError",
        "visa_chargeDeclinedProcessingError",
    ),
    _declined(
        "4000000000006975",
        VELOCITY_EXCEEDED,
        "chargeDeclinedVelocityLimitExceeded",
        "visa_chargeDeclinedVelocityLimitExceeded",
    ),
    _declined(
        "4100000000000019",
        FRAUDULENT,
        "radarBlock",
        "chargeDeclinedFraudulent",
        "visa_chargeDeclinedFraudulent",
    ),
    Card(
        "4000000000000341",
        ("chargeCustomerFail", "visa_chargeCustomerFail"),
        decline=GENERIC,
    ),
    Card("4000002760003184", ("authenticationRequired",), authentication="always"),
    Card("4000002500003155", ("authenticationRequiredOnSetup",), authentication="until_set_up"),
    Card(
        "4000008260003178",
        ("authenticationRequiredChargeDeclinedInsufficientFunds",),
        authentication="always",
        decline=INSUFFICIENT_FUNDS,
    ),
    Card(
        "4000000000003220",
        ("threeDSecure2Required", "threeDSecureRequired"),
        authentication="always",
    ),
    Card(
        "4000008400001629",
        ("threeDSecureRequiredChargeDeclined",),
        authentication="always",
        decline=GENERIC,
    ),
    Card("4000000000003055", ("threeDSecureOptional",), authentication="on_request"),
    Card("4000000000007726", ("pendingRefund",), refund=("pending", "succeeded")),
    Card("4000000000005126", ("refundFail",), refund=("succeeded", "failed")),
    Card("4000000000000077", ("bypassPending",), bypasses_pending=True),
    Card(
        "4000000000000259",
        ("createDispute", "visa_createDispute"),
        complaint=Complaint("fraudulent"),
    ),
    Card(
        "4000000000002685",
        ("createDisputeProductNotReceived", "visa_createDisputeProductNotReceived"),
        complaint=Complaint("product_not_received"),
    ),
    Card(
        "4000000000001976",
        ("createDisputeInquiry", "visa_createDisputeInquiry"),
        complaint=Complaint("fraudulent", inquiry=True),
    ),
)

BY_NUMBER = {card.number: card for card in CARDS}
BY_NAME = {name: card for card in CARDS for name in card.names}


def of_test_method(reference: str) -> Card | None:
    """Return the card that a name such as `pm_card_visa` stands for."""
    return _named(reference, "pm_card_")


def of_test_token(reference: str) -> Card | None:
    """Return the card that a token such as `tok_visa` stands for."""
    return _named(reference, "tok_")


def passes_luhn(number: str) -> bool:
    """Tell whether a card number's check digit is right."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _named(reference: str, prefix: str) -> Card | None:
    return BY_NAME.get(reference.removeprefix(prefix)) if reference.startswith(prefix) else None
