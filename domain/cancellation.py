"""Who bears what when an order ends without delivery.

Source: DESIGN.md, The states and Money. Before cooking the customer gets everything back. Once
cooking has begun the chef is paid for the food, unless the chef failed; once the driver has picked
up, the driver is paid for the way, unless the driver failed. The customer pays only for what he
himself brought about: a fault of chef, driver or platform always means a full refund, and what is
then paid out nevertheless is the platform's loss. A tip is never kept. A driver who is paid for the
way has his bonus for it, too.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.order_status import ON_THE_WAY, Actor, OrderStatus
from domain.pricing import Price


class Fault(StrEnum):
    """Whose doing it is that an order was cancelled."""

    CUSTOMER = "customer"
    CHEF = "chef"
    DRIVER = "driver"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What of a captured payment is kept, and what is owed out of it, in cents.

    `bonus_cents` is owed to the driver by the platform.
    """

    kept_cents: int
    chef_cents: int
    driver_cents: int
    bonus_cents: int = 0


COOKED = ON_THE_WAY | {
    OrderStatus.PREPARING,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.ASSIGNED_TO_DRIVER,
}

_USUAL_FAULT = {
    Actor.CUSTOMER: Fault.CUSTOMER,
    Actor.STRIPE: Fault.CUSTOMER,
    Actor.CHEF: Fault.CHEF,
    Actor.DRIVER: Fault.DRIVER,
}


def usual_fault(by: Actor) -> Fault:
    """Whose fault a cancellation by `by` is unless somebody says otherwise."""
    return _USUAL_FAULT.get(by, Fault.PLATFORM)


def settle(status: OrderStatus, fault: Fault, bill: Price, bonus_cents: int = 0) -> Settlement:
    """What is kept and owed when an order that was `status` is cancelled through `fault`.

    `bonus_cents` is what its driver was promised beside the bill.
    """
    cooked, picked_up = status in COOKED, status in ON_THE_WAY
    kept = 0
    if fault is Fault.CUSTOMER and cooked:
        kept = bill.subtotal_cents + bill.tax_cents - bill.discount_cents
        if picked_up:
            kept += bill.delivery_fee_cents
    drove = picked_up and fault is not Fault.DRIVER
    return Settlement(
        kept_cents=kept,
        chef_cents=bill.chef_earning_cents if cooked and fault is not Fault.CHEF else 0,
        driver_cents=bill.delivery_fee_cents if drove else 0,
        bonus_cents=bonus_cents if drove else 0,
    )
