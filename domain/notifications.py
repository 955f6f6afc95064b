"""Who is told on what occasion, as which event, which group of choices, and how urgently.

In which words, say `templates/en.toml` and its like (`domain.wording`); by which channels,
`domain.preferences` for each group of choices; when, `domain.reaching`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.order_status import ON_THE_WAY, OrderStatus
from domain.preferences import Event


class Audience(StrEnum):
    """Who is told."""

    CUSTOMER = "customer"
    CHEF = "chef"
    DRIVER = "driver"
    PAYEE = "payee"
    OPS = "ops"


class Alert(StrEnum):
    """What is worth saying without a change of state."""

    CHEF_REMINDER = "chef_reminder"
    CHEF_OVERDUE = "chef_overdue"
    DRIVER_OFFER = "driver_offer"
    DRIVER_SILENT = "driver_silent"
    DRIVER_DARK = "driver_dark"
    DISPATCH_SLOW = "dispatch_slow"
    PICKUP_OVERDUE = "pickup_overdue"
    DELIVERY_OVERDUE = "delivery_overdue"
    CODES_USED_UP = "codes_used_up"
    DRIVER_NEAR = "driver_near"
    MESSAGE = "message"
    PAYMENT_MISMATCH = "payment_mismatch"
    DISPUTE = "dispute"
    EVIDENCE_DUE = "evidence_due"
    ANSWER_REFUSED = "answer_refused"
    DISPUTE_ENDED = "dispute_ended"
    TIP_DISPUTED = "tip_disputed"
    TIP_DISPUTE_ENDED = "tip_dispute_ended"
    REFUND_FAILED = "refund_failed"
    REFUND_OVERDUE = "refund_overdue"
    COMPLAINT_OPENED = "complaint_opened"
    COMPLAINT_WAITS = "complaint_waits"
    COMPLAINT_REJECTED = "complaint_rejected"
    REFUND_GRANTED = "refund_granted"
    REFUND_REFUSED = "refund_refused"
    REFUND_MADE = "refund_made"
    REFUND_CAME_BACK = "refund_came_back"
    TIP_REFUSED = "tip_refused"
    RECONCILIATION = "reconciliation"
    WEBHOOK_OFF = "webhook_off"


class PayeeAlert(StrEnum):
    """What is worth saying about whether a chef or driver can be paid."""

    ONBOARDING_REMINDER = "onboarding_reminder"
    ONBOARDING_OVERDUE = "onboarding_overdue"
    ONBOARDING_REFUSED = "onboarding_refused"
    PAYOUTS_ENABLED = "payouts_enabled"
    PAYOUTS_DISABLED = "payouts_disabled"
    PAYOUTS_RESTORED = "payouts_restored"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_STUCK = "payout_stuck"
    BALANCE_SHORT = "balance_short"


class DriverAlert(StrEnum):
    """What is worth saying about whether a driver may deliver."""

    WAITS = "driver_waits"
    APPROVED = "driver_approved"
    REJECTED = "driver_rejected"
    SUSPENDED = "driver_suspended"
    DOCUMENT_REJECTED = "document_rejected"
    TO_BE_VERIFIED_AGAIN = "driver_to_be_verified_again"


class KitchenAlert(StrEnum):
    """What is worth saying about whether a chef may sell."""

    WAITS = "kitchen_waits"
    APPROVED = "kitchen_approved"
    REJECTED = "kitchen_rejected"
    SUSPENDED = "kitchen_suspended"
    DOCUMENT_REJECTED = "kitchen_document_rejected"
    TO_BE_VERIFIED_AGAIN = "kitchen_to_be_verified_again"
    WEBHOOK_OFF = "kitchen_webhook_off"


class Urgency(StrEnum):
    """How soon it is of use. LIVE is good for seconds: quiet hours do not hold it back, and a mail
    would come too late. NOW is worth waking a phone for, NORMAL is shown when it is looked at.
    """

    LIVE = "live"
    NOW = "now"
    NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to an audience. `type` is the event name of seed 000, Events; `event` is the group
    of choices that it falls under: `domain.preferences` has the channels of each.
    """

    audience: Audience
    type: str
    event: Event
    urgency: Urgency


Occasion = OrderStatus | Alert | PayeeAlert | DriverAlert | KitchenAlert

_STATUS = "order:status_update"
_NEW = "order:new"
_MESSAGE = "message:new"

_ORDERS, _WORK, _MONEY, _ACCOUNT = Event.ORDERS, Event.WORK, Event.MONEY, Event.ACCOUNT
_LIVE, _NOW, _NORMAL = Urgency.LIVE, Urgency.NOW, Urgency.NORMAL


def _customer(event: Event, urgency: Urgency) -> Notice:
    return Notice(Audience.CUSTOMER, _STATUS, event, urgency)


def _chef(urgency: Urgency, kind: str = _STATUS) -> Notice:
    return Notice(Audience.CHEF, kind, _WORK, urgency)


def _driver(urgency: Urgency, kind: str = _STATUS) -> Notice:
    return Notice(Audience.DRIVER, kind, _WORK, urgency)


def _ops(event: Event, urgency: Urgency) -> Notice:
    return Notice(Audience.OPS, "admin:alert", event, urgency)


_PAYEE = Notice(Audience.PAYEE, "payee:payouts", _MONEY, _NORMAL)
_OF_DRIVER = Notice(Audience.DRIVER, "driver:verification", _ACCOUNT, _NORMAL)
_OF_KITCHEN = Notice(Audience.CHEF, "chef:verification", _ACCOUNT, _NORMAL)

NOTICES: Mapping[Occasion, tuple[Notice, ...]] = {
    OrderStatus.PAYMENT_CONFIRMED: (_customer(_MONEY, _NORMAL), _chef(_NOW, _NEW)),
    OrderStatus.ACCEPTED: (_customer(_ORDERS, _NORMAL),),
    OrderStatus.PREPARING: (_customer(_ORDERS, _NORMAL),),
    OrderStatus.READY_FOR_PICKUP: (_customer(_ORDERS, _NORMAL),),
    OrderStatus.ASSIGNED_TO_DRIVER: (_customer(_ORDERS, _NORMAL), _chef(_NORMAL)),
    OrderStatus.PICKED_UP: (_customer(_ORDERS, _NORMAL),),
    OrderStatus.DELIVERED: (_customer(_ORDERS, _NOW),),
    OrderStatus.CANCELLED: (_customer(_ORDERS, _NOW), _chef(_NOW), _driver(_NOW)),
    OrderStatus.DISPUTED: (_ops(_MONEY, _NORMAL),),
    OrderStatus.REFUNDED: (_customer(_MONEY, _NORMAL),),
    Alert.CHEF_REMINDER: (_chef(_NOW, _NEW), _ops(_WORK, _NORMAL)),
    Alert.CHEF_OVERDUE: (_ops(_WORK, _NOW),),
    Alert.DRIVER_OFFER: (_driver(_LIVE, "driver:new_assignment"),),
    Alert.DRIVER_SILENT: (_driver(_NOW, "driver:off_duty"),),
    Alert.DRIVER_DARK: (_ops(_WORK, _NOW),),
    Alert.DISPATCH_SLOW: (_ops(_WORK, _NOW),),
    Alert.PICKUP_OVERDUE: (_ops(_WORK, _NOW),),
    Alert.DELIVERY_OVERDUE: (_ops(_WORK, _NOW),),
    Alert.CODES_USED_UP: (_ops(_WORK, _NOW),),
    Alert.DRIVER_NEAR: (_customer(_ORDERS, _NOW),),
    Alert.MESSAGE: (
        Notice(Audience.CUSTOMER, _MESSAGE, _ORDERS, _NOW),
        _chef(_NOW, _MESSAGE),
        _driver(_NOW, _MESSAGE),
    ),
    Alert.PAYMENT_MISMATCH: (_ops(_MONEY, _NORMAL),),
    Alert.DISPUTE: (_ops(_MONEY, _NORMAL),),
    Alert.EVIDENCE_DUE: (_ops(_MONEY, _NORMAL),),
    Alert.ANSWER_REFUSED: (_ops(_MONEY, _NORMAL),),
    Alert.DISPUTE_ENDED: (_ops(_MONEY, _NORMAL),),
    Alert.TIP_DISPUTED: (_ops(_MONEY, _NORMAL),),
    Alert.TIP_DISPUTE_ENDED: (_ops(_MONEY, _NORMAL),),
    Alert.REFUND_FAILED: (_ops(_MONEY, _NORMAL),),
    Alert.REFUND_OVERDUE: (_ops(_MONEY, _NORMAL),),
    Alert.COMPLAINT_OPENED: (_customer(_MONEY, _NORMAL), _ops(_MONEY, _NORMAL)),
    Alert.COMPLAINT_WAITS: (_ops(_MONEY, _NORMAL),),
    Alert.COMPLAINT_REJECTED: (_customer(_MONEY, _NORMAL),),
    Alert.REFUND_GRANTED: (_customer(_MONEY, _NORMAL),),
    Alert.REFUND_REFUSED: (_ops(_MONEY, _NORMAL),),
    Alert.REFUND_MADE: (_customer(_MONEY, _NORMAL),),
    Alert.REFUND_CAME_BACK: (_customer(_MONEY, _NORMAL), _ops(_MONEY, _NORMAL)),
    Alert.TIP_REFUSED: (_customer(_MONEY, _NORMAL),),
    Alert.RECONCILIATION: (_ops(_MONEY, _NORMAL),),
    PayeeAlert.ONBOARDING_REMINDER: (_PAYEE,),
    PayeeAlert.ONBOARDING_OVERDUE: (_ops(_MONEY, _NORMAL),),
    PayeeAlert.ONBOARDING_REFUSED: (_ops(_MONEY, _NORMAL),),
    PayeeAlert.PAYOUTS_ENABLED: (_PAYEE,),
    PayeeAlert.PAYOUTS_DISABLED: (_PAYEE, _ops(_MONEY, _NORMAL)),
    PayeeAlert.PAYOUTS_RESTORED: (_PAYEE, _ops(_MONEY, _NORMAL)),
    PayeeAlert.PAYOUT_PAID: (_PAYEE,),
    PayeeAlert.PAYOUT_FAILED: (_PAYEE, _ops(_MONEY, _NORMAL)),
    PayeeAlert.PAYOUT_STUCK: (_ops(_MONEY, _NORMAL),),
    PayeeAlert.BALANCE_SHORT: (_ops(_MONEY, _NORMAL),),
    DriverAlert.WAITS: (_ops(_WORK, _NORMAL),),
    DriverAlert.APPROVED: (_OF_DRIVER,),
    DriverAlert.REJECTED: (_OF_DRIVER,),
    DriverAlert.SUSPENDED: (_OF_DRIVER,),
    DriverAlert.DOCUMENT_REJECTED: (_OF_DRIVER,),
    DriverAlert.TO_BE_VERIFIED_AGAIN: (_OF_DRIVER,),
    KitchenAlert.WAITS: (_ops(_WORK, _NORMAL),),
    KitchenAlert.APPROVED: (_OF_KITCHEN,),
    KitchenAlert.REJECTED: (_OF_KITCHEN,),
    KitchenAlert.SUSPENDED: (_OF_KITCHEN,),
    KitchenAlert.DOCUMENT_REJECTED: (_OF_KITCHEN,),
    KitchenAlert.TO_BE_VERIFIED_AGAIN: (_OF_KITCHEN,),
    KitchenAlert.WEBHOOK_OFF: (
        Notice(Audience.CHEF, "chef:webhook", _ACCOUNT, _NORMAL),
        _ops(_WORK, _NORMAL),
    ),
    Alert.WEBHOOK_OFF: (_ops(_WORK, _NORMAL),),
}

# What is said of a moment rings only while its order is in one of these states.
STILL_SO: Mapping[str, frozenset[OrderStatus]] = {
    Alert.CHEF_REMINDER: frozenset({OrderStatus.PAYMENT_CONFIRMED}),
    Alert.DRIVER_NEAR: ON_THE_WAY,
}

# While the food is still to come, people are told when.
EXPECTED: frozenset[Occasion] = frozenset(
    {
        OrderStatus.PAYMENT_CONFIRMED,
        OrderStatus.ACCEPTED,
        OrderStatus.PREPARING,
        OrderStatus.READY_FOR_PICKUP,
        OrderStatus.ASSIGNED_TO_DRIVER,
        OrderStatus.PICKED_UP,
        Alert.DRIVER_NEAR,
    }
)


def notices(occasion: Occasion) -> tuple[Notice, ...]:
    """What is said on an occasion; nothing where only he who acted is concerned."""
    return NOTICES.get(occasion, ())


def notice(occasion: str, audience: str) -> Notice | None:
    """How an audience is told on an occasion, both as they were written down; None where it is not
    told (any more).
    """
    said = _BY_NAME.get(occasion, ())
    return next((one for one in said if one.audience == audience), None)


_BY_NAME: Mapping[str, tuple[Notice, ...]] = {
    occasion.value: said for occasion, said in NOTICES.items()
}
