"""Who is told what, and in which words.

Each message about an order is a template over `number` (the order's), `kitchen` (its name) and
`reason`; each about a payee or driver over `name` and `reason`. Words for customers are seed 004's
(notifyCustomerStatusUpdate).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.order_status import OrderStatus


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


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to an audience; `type` is the event name of seed 000, Events."""

    audience: Audience
    type: str
    title: str
    message: str


Occasion = OrderStatus | Alert | PayeeAlert | DriverAlert | KitchenAlert


def _customer(message: str) -> Notice:
    return Notice(Audience.CUSTOMER, "order:status_update", "Order {number}", message)


def _chef(message: str, kind: str = "order:status_update") -> Notice:
    return Notice(Audience.CHEF, kind, "Order {number}", message)


def _driver(message: str, kind: str = "order:status_update") -> Notice:
    return Notice(Audience.DRIVER, kind, "Order {number}", message)


def _ops(message: str, title: str = "Order {number} needs a look") -> Notice:
    return Notice(Audience.OPS, "admin:alert", title, message)


def _payee(message: str) -> Notice:
    return Notice(Audience.PAYEE, "payee:payouts", "Your payouts", message)


def _verification(message: str) -> Notice:
    return Notice(Audience.DRIVER, "driver:verification", "Your account", message)


def _kitchen(message: str) -> Notice:
    return Notice(Audience.CHEF, "chef:verification", "Your kitchen", message)


def _ops_of_payee(message: str) -> Notice:
    return _ops(message, "The payouts of {name} need a look")


NOTICES: Mapping[Occasion, tuple[Notice, ...]] = {
    OrderStatus.PAYMENT_CONFIRMED: (
        _customer("Payment received. Waiting for {kitchen} to accept."),
        _chef("You have a new order, {number}.", "order:new"),
    ),
    OrderStatus.ACCEPTED: (
        _customer("Your order has been accepted! {kitchen} is preparing your food."),
    ),
    OrderStatus.PREPARING: (_customer("Your food is being prepared."),),
    OrderStatus.READY_FOR_PICKUP: (_customer("Your order is ready for pickup!"),),
    OrderStatus.ASSIGNED_TO_DRIVER: (
        _customer("A driver is on the way to {kitchen}."),
        _chef("A driver is on the way to you for {number}."),
    ),
    OrderStatus.PICKED_UP: (_customer("Your order has been picked up and is on the way!"),),
    OrderStatus.DELIVERED: (_customer("Your order has been delivered. Enjoy!"),),
    OrderStatus.CANCELLED: (
        _customer("Your order has been cancelled ({reason})."),
        _chef("Order {number} has been cancelled ({reason})."),
        _driver("Order {number} has been cancelled ({reason})."),
    ),
    OrderStatus.DISPUTED: (_ops("{number} is disputed: {reason}."),),
    OrderStatus.REFUNDED: (_customer("Your order has been refunded."),),
    Alert.CHEF_REMINDER: (_chef("Order {number} is still waiting for your answer.", "order:new"),),
    Alert.CHEF_OVERDUE: (_ops("{kitchen} has not finished {number} by the promised time."),),
    Alert.DRIVER_OFFER: (
        _driver("{kitchen} has an order for you: {number}.", "driver:new_assignment"),
    ),
    Alert.DRIVER_SILENT: (
        _driver(
            "You have let several offers pass in a row, so you are off duty now.", "driver:off_duty"
        ),
    ),
    Alert.DRIVER_DARK: (_ops("The driver who has {number} cannot be seen any more."),),
    Alert.DISPATCH_SLOW: (_ops("No driver has taken {number} so far."),),
    Alert.PICKUP_OVERDUE: (_ops("The driver has not picked up {number} in time."),),
    Alert.DELIVERY_OVERDUE: (_ops("The driver has not delivered {number} in time."),),
    Alert.CODES_USED_UP: (
        _ops("The driver has given {reason} wrong codes for {number}: he has to take a photo now."),
    ),
    Alert.DRIVER_NEAR: (_customer("Your driver is almost at your door."),),
    Alert.PAYMENT_MISMATCH: (_ops("The payment of {number} is not for what it costs: {reason}."),),
    Alert.DISPUTE: (_ops("The customer's bank asks about the payment of {number}: {reason}."),),
    Alert.EVIDENCE_DUE: (_ops("The evidence about the payment of {number} is due {reason}."),),
    Alert.ANSWER_REFUSED: (
        _ops("Stripe does not take our answer to the dispute about {number}: {reason}."),
    ),
    Alert.DISPUTE_ENDED: (_ops("The dispute about the payment of {number} is {reason}."),),
    Alert.TIP_DISPUTED: (_ops("The customer's bank asks about the tip of {number}: {reason}."),),
    Alert.TIP_DISPUTE_ENDED: (_ops("The dispute about the tip of {number} is {reason}."),),
    Alert.REFUND_FAILED: (_ops("A refund of {number} failed: {reason}."),),
    Alert.REFUND_OVERDUE: (_ops("A refund of {number} is still on its way: {reason}."),),
    Alert.COMPLAINT_OPENED: (
        _customer("We have your complaint about {number} and will look into it."),
        _ops("A complaint about {number} waits for you: {reason}."),
    ),
    Alert.COMPLAINT_WAITS: (_ops("A complaint about {number} still waits: {reason}."),),
    Alert.COMPLAINT_REJECTED: (
        _customer("We have looked into your complaint about {number}: {reason}"),
    ),
    Alert.REFUND_GRANTED: (_customer("You get {reason} back for {number}."),),
    Alert.REFUND_REFUSED: (_ops("Stripe does not refund {number} yet: {reason}."),),
    Alert.REFUND_MADE: (_customer("{reason} for {number} are on their way to your card."),),
    Alert.REFUND_CAME_BACK: (
        _customer("Your refund for {number} did not reach your card. We will be in touch."),
        _ops("A refund of {number} did not reach the customer: {reason}."),
    ),
    Alert.TIP_REFUSED: (
        _customer("Your card did not take the tip that you had promised for {number}."),
    ),
    Alert.RECONCILIATION: (
        _ops("Our books and Stripe do not agree: {reason}.", "Reconciliation has found something"),
    ),
    PayeeAlert.ONBOARDING_REMINDER: (
        _payee("Please finish your payout details at Stripe, so that you can be paid."),
    ),
    PayeeAlert.ONBOARDING_OVERDUE: (
        _ops_of_payee("{name} can still not be paid: the payout details are not complete."),
    ),
    PayeeAlert.ONBOARDING_REFUSED: (
        _ops_of_payee("Stripe refuses the account of {name}: {reason}."),
    ),
    PayeeAlert.PAYOUTS_ENABLED: (_payee("Your payout details are complete: you can be paid."),),
    PayeeAlert.PAYOUTS_DISABLED: (
        _payee("Stripe has stopped your payouts. Please look at what it needs from you."),
        _ops_of_payee("Stripe has stopped the payouts of {name}: {reason}."),
    ),
    PayeeAlert.PAYOUTS_RESTORED: (
        _payee("Your payouts are on again."),
        _ops_of_payee("The payouts of {name} are on again."),
    ),
    PayeeAlert.PAYOUT_PAID: (_payee("Your payout is in your bank."),),
    PayeeAlert.PAYOUT_FAILED: (
        _payee("Your bank did not take your payout ({reason}). It is kept for you."),
        _ops_of_payee("The bank of {name} did not take a payout: {reason}."),
    ),
    PayeeAlert.PAYOUT_STUCK: (_ops_of_payee("A payout of {name} does not get on: {reason}."),),
    PayeeAlert.BALANCE_SHORT: (
        _ops("Payouts wait for money at Stripe: {reason}.", "Payouts wait for money"),
    ),
    DriverAlert.WAITS: (
        _ops("{name} has shown all documents and waits to be verified.", "{name} wants to deliver"),
    ),
    DriverAlert.APPROVED: (_verification("You are verified: you can go on duty."),),
    DriverAlert.REJECTED: (_verification("We cannot let you deliver: {reason}"),),
    DriverAlert.SUSPENDED: (_verification("You are suspended: {reason}"),),
    DriverAlert.DOCUMENT_REJECTED: (_verification("We cannot accept a document: {reason}"),),
    DriverAlert.TO_BE_VERIFIED_AGAIN: (
        _verification("You are off duty until your documents are verified again."),
    ),
    KitchenAlert.WAITS: (
        _ops("{name} has shown all documents and waits to be verified.", "{name} wants to cook"),
    ),
    KitchenAlert.APPROVED: (_kitchen("{name} is verified: you can open it."),),
    KitchenAlert.REJECTED: (_kitchen("We cannot let {name} sell: {reason}"),),
    KitchenAlert.SUSPENDED: (_kitchen("{name} is suspended: {reason}"),),
    KitchenAlert.DOCUMENT_REJECTED: (_kitchen("We cannot accept a document: {reason}"),),
    KitchenAlert.TO_BE_VERIFIED_AGAIN: (
        _kitchen("{name} is closed until its documents are verified again."),
    ),
}


def notices(occasion: Occasion) -> tuple[Notice, ...]:
    """What is said on an occasion; nothing where only he who acted is concerned."""
    return NOTICES.get(occasion, ())
