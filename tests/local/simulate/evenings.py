"""A small evening as the database would hold it, every row of it right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.drivers import Vehicle
from domain.ledger import Account, payable
from domain.order_status import Actor, OrderStatus
from domain.payees import PayeeKind
from finance.trial_balance import Balance
from local.simulate.evidence import Booked, Evidence
from schema.messages.dispatch import AssignmentStatus
from schema.tables import DriverAssignment, Order, OrderStatusHistory

A, S = AssignmentStatus, OrderStatus
BEGAN = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
TOTAL, CHEF_EARNS, DRIVER_EARNS = 2660, 1601, 500

# How an order comes to its end: who takes it where.
DELIVERED = (
    (S.PENDING, Actor.CUSTOMER),
    (S.PAYMENT_CONFIRMED, Actor.STRIPE),
    (S.ACCEPTED, Actor.CHEF),
    (S.PREPARING, Actor.CHEF),
    (S.READY_FOR_PICKUP, Actor.CHEF),
    (S.ASSIGNED_TO_DRIVER, Actor.DISPATCH),
    (S.PICKED_UP, Actor.DRIVER),
    (S.IN_TRANSIT, Actor.DRIVER),
    (S.DELIVERED, Actor.DRIVER),
)
REJECTED = (*DELIVERED[:2], (S.CANCELLED, Actor.CHEF))


def minute(after: float) -> datetime:
    """A moment of the evening."""
    return BEGAN + timedelta(minutes=after)


def written_at(moment: datetime) -> UUID:
    """The id of a row that is made at a moment."""
    return uuid7(nanoseconds=round(moment.timestamp() * 1000) * 1_000_000)


@dataclass
class Books:
    """Rows, to be added to and spoilt."""

    orders: list[Order] = field(default_factory=list)
    steps: list[OrderStatusHistory] = field(default_factory=list)
    offers: list[DriverAssignment] = field(default_factory=list)
    payments: dict[UUID, str] = field(default_factory=dict)
    booked: list[Booked] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    # Who drives nothing else drives a car.
    vehicles: dict[UUID, Vehicle] = field(default_factory=dict)
    balance: Balance = field(default_factory=lambda: Balance(minute(99), [], []))

    def order(
        self,
        *,
        begins: float = 0.0,
        driver: UUID | None = None,
        story: Sequence[tuple[OrderStatus, Actor]] = DELIVERED,
    ) -> Order:
        """An order that went its way, a step each minute; its money is where it belongs."""
        order_id, chef_id = uuid7(), uuid7()
        driver_id = driver or uuid7()
        end = story[-1][0]
        moments = {status: minute(begins + n) for n, (status, _) in enumerate(story)}
        is_delivered = end is S.DELIVERED
        order = Order(
            id=order_id,
            order_number=f"RND-{len(self.orders) + 1}",
            status=end,
            sequence=len(story),
            chef_id=chef_id,
            driver_id=driver_id if is_delivered else None,
            created_at=minute(begins),
            prepared_at=moments.get(S.READY_FOR_PICKUP),
            picked_up_at=moments.get(S.PICKED_UP),
            delivered_at=moments.get(S.DELIVERED),
            cancelled_at=moments.get(S.CANCELLED),
            cancel_reason=None if is_delivered else "rejected_by_chef",
            total_cents=TOTAL,
            chef_earning_cents=CHEF_EARNS,
            driver_earning_cents=DRIVER_EARNS,
            kept_cents=None if is_delivered else 0,
            pickup_latitude=30.27,
            pickup_longitude=-97.74,
            delivery_latitude=30.28,
            delivery_longitude=-97.75,
        )
        self.orders.append(order)
        for number, (status, actor) in enumerate(story, start=1):
            self.steps.append(
                OrderStatusHistory(
                    order_id=order_id,
                    sequence=number,
                    status=status,
                    actor=actor,
                    created_at=moments[status],
                )
            )
        self.payments[order_id] = f"pi_{len(self.orders)}"
        self.kept[self.payments[order_id]] = TOTAL if is_delivered else 0
        self._book(order_id, Account.CUSTOMER_DEPOSITS, -TOTAL, TOTAL)
        if is_delivered:
            self._book(order_id, payable(PayeeKind.CHEF, chef_id), -CHEF_EARNS)
            self._book(order_id, payable(PayeeKind.DRIVER, driver_id), -DRIVER_EARNS)
            since = moments[S.ASSIGNED_TO_DRIVER]
            self.offer(order, driver_id, A.ACCEPTED, since - timedelta(seconds=20), since)
        return order

    def offer(
        self,
        order: Order,
        driver_id: UUID,
        status: AssignmentStatus,
        offered: datetime,
        responded: datetime | None,
        **more: Any,
    ) -> DriverAssignment:
        """An offer, and what became of it."""
        row_id = written_at(offered)
        made = DriverAssignment(
            id=row_id,
            offer_id=more.pop("offer_id", row_id),
            order_id=order.id,
            driver_id=driver_id,
            status=status,
            distance_km=1.0,
            offered_at=offered,
            expires_at=offered + timedelta(seconds=30),
            responded_at=responded,
            **more,
        )
        self.offers.append(made)
        return made

    def evidence(self) -> Evidence:
        """As the referee gets it."""
        return Evidence(
            at=minute(99),
            orders=self.orders,
            steps=self.steps,
            offers=self.offers,
            vehicles={offer.driver_id: Vehicle.CAR for offer in self.offers} | self.vehicles,
            payments=self.payments,
            booked=self.booked,
            balance=self.balance,
            kept=self.kept,
        )

    def _book(self, order_id: UUID, account: str, *cents: int) -> None:
        self.booked.extend(Booked(order_id, account, one) for one in cents)
