"""By what operators find workflows in the Temporal UI: ids and figures, no personal data."""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair

with workflow.unsafe.imports_passed_through():
    from domain.payees import PayeeKind
    from schema.messages.disputes import Standing
    from schema.messages.order import Order
    from schema.messages.payees import PayeeRef

ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")
CHEF_ID = SearchAttributeKey.for_keyword("ChefId")
CUSTOMER_ID = SearchAttributeKey.for_keyword("CustomerId")
DRIVER_ID = SearchAttributeKey.for_keyword("DriverId")
ZONE = SearchAttributeKey.for_keyword("Zone")
TOTAL_CENTS = SearchAttributeKey.for_int("TotalCents")

ALL = (ORDER_STATUS, CHEF_ID, CUSTOMER_ID, DRIVER_ID, ZONE, TOTAL_CENTS)


def attributes(order: Order) -> list[SearchAttributePair[Any]]:
    """What an order is found by as it stands."""
    found: list[SearchAttributePair[Any]] = [
        SearchAttributePair(ORDER_STATUS, order.status.value),
        SearchAttributePair(CHEF_ID, str(order.chef_id)),
        SearchAttributePair(CUSTOMER_ID, str(order.customer_id)),
        SearchAttributePair(ZONE, order.market),
        SearchAttributePair(TOTAL_CENTS, order.price.total_cents),
    ]
    if order.driver_id is not None:
        found.append(SearchAttributePair(DRIVER_ID, str(order.driver_id)))
    return found


def attributes_of_zone(zone: str) -> list[SearchAttributePair[Any]]:
    """What the workflow of a zone is found by."""
    return [SearchAttributePair(ZONE, zone)]


def attributes_of_payee(payee: PayeeRef) -> list[SearchAttributePair[Any]]:
    """What the workflows of a chef or driver are found by."""
    key = CHEF_ID if payee.kind is PayeeKind.CHEF else DRIVER_ID
    return [SearchAttributePair(key, str(payee.payee_id))]


def attributes_of_dispute(dispute: Standing) -> list[SearchAttributePair[Any]]:
    """What a dispute is found by: whose order it is about, and how many cents are disputed."""
    found: list[SearchAttributePair[Any]] = [
        SearchAttributePair(CHEF_ID, str(dispute.chef_id)),
        SearchAttributePair(CUSTOMER_ID, str(dispute.customer_id)),
        SearchAttributePair(ZONE, dispute.market),
        SearchAttributePair(TOTAL_CENTS, dispute.amount_cents),
    ]
    if dispute.driver_id is not None:
        found.append(SearchAttributePair(DRIVER_ID, str(dispute.driver_id)))
    return found
