"""A world in which there is one of everything that is listed, and then many: written straight into
the tables, since fifty people with fifty orders each would take their time at the facade.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.drivers import DocumentType
from domain.kitchens import ChefDocumentType
from domain.ledger import Account, Bearer, Event, Movement, Posting, payable
from domain.order_status import Actor, OrderStatus
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from domain.promo import DiscountType
from domain.reconciliation import CaseKind
from domain.refunds import RefundKind, RequestStatus
from domain.reviews import Reviewee, ReviewStatus
from domain.verification import DocumentStatus, Verification
from local.payees import account_id
from local.world import ALWAYS, World
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus
from schema.messages.order import CaptureMethod, ChosenOption, OrderLine
from schema.queries import ledger, orders
from schema.tables import (
    Address,
    AdminAction,
    Cart,
    CartItem,
    Chef,
    ChefDocument,
    DispatchSearch,
    Dispute,
    Driver,
    DriverAssignment,
    DriverDocument,
    DriverShift,
    Favourite,
    LedgerMovement,
    LedgerPosting,
    MarketSetting,
    Menu,
    MenuItem,
    MenuItemOption,
    Notification,
    OptionGroup,
    Order,
    OrderItem,
    OrderStatusHistory,
    Payment,
    Payout,
    PayoutItem,
    PromoCode,
    ReconciliationCase,
    RefundRequest,
    Review,
    ReviewReport,
    Role,
    User,
    UserProfile,
)
from schema.tables.columns import now

S = OrderStatus

FIRST_DAY = date(2026, 1, 1)
_ON_THE_BOARD = (S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING)
_COOKED = (S.ACCEPTED, S.PREPARING, S.READY_FOR_PICKUP)


@dataclass
class Crowd:
    """How many there are of everything in a world, and the things that have many in themselves: an
    order with dishes and steps, a cart, an offer.
    """

    database: Database
    world: World
    order_id: UUID
    cart_id: UUID
    offer_id: UUID
    size: int = 0

    @property
    def ids(self) -> Mapping[str, str]:
        """What stands in the paths of operations about this world."""
        return {
            "order_id": str(self.order_id),
            "chef_id": str(self.world.chef.id),
            "driver_id": str(self.world.drivers[0].id),
            "day": str(FIRST_DAY),
            "market": "austin",
        }

    async def grow(self, more: int) -> None:
        """Have so many more of everything."""
        async with self.database.write() as session:
            for number in range(self.size, self.size + more):
                await self._one_more(session, number)
        self.size += more

    async def _one_more(self, session: AsyncSession, number: int) -> None:
        world = self.world
        dish = await _menu(session, world, number)
        kitchen, driver = await _kitchen(session, world), await _driver(session)
        await _part_of_order(session, self.order_id, dish, number)
        await _cart_item(session, self.cart_id, dish)
        delivered = await _delivered(session, world, dish)
        await _opinions(session, world, delivered)
        await _money(session, world, delivered, kitchen, number)
        await _in_hand(session, world, dish, _ON_THE_BOARD[number % len(_ON_THE_BOARD)])
        await _waiting(session, world, dish, self.offer_id, driver, number)
        await _papers(session, world)
        await _personal(session, world, kitchen, number)
        await _operators(session, world, number)


async def crowd(database: Database, world: World) -> Crowd:
    """A world of which there can be more."""
    placed = world.placing()
    async with database.write() as session:
        await orders.begin(session, placed)
        cart = Cart(customer_id=world.customer.user_id, chef_id=world.chef.id)
        session.add(cart)
    return Crowd(database, world, placed.order.id, cart.id, uuid7())


async def _menu(session: AsyncSession, world: World, number: int) -> MenuItem:
    menu = Menu(chef_id=world.chef.id, name=f"Menu {number}", position=number)
    session.add(menu)
    await session.flush()
    dish = MenuItem(menu_id=menu.id, name=f"Dosa {number}", price_cents=1000)
    session.add(dish)
    await session.flush()
    group = OptionGroup(menu_item_id=dish.id, name="Extras")
    session.add(group)
    await session.flush()
    session.add(MenuItemOption(group_id=group.id, name="ghee", price_cents=50))
    return dish


async def _somebody(session: AsyncSession, role: Role) -> User:
    user = User(email=f"{role}-{uuid7()}@example.com", role=role, is_verified=True)
    session.add(user)
    await session.flush()
    session.add(UserProfile(user_id=user.id, first_name=role.title(), last_name="Many"))
    return user


async def _kitchen(session: AsyncSession, world: World) -> Chef:
    user = await _somebody(session, Role.CHEF)
    kitchen = Chef(
        user_id=user.id,
        business_name="Dosa House",
        address="3 Test Street",
        latitude=world.kitchen.latitude,
        longitude=world.kitchen.longitude,
        operating_hours=ALWAYS,
        verification_status=Verification.APPROVED,
        accepting_orders=True,
    )
    session.add(kitchen)
    await session.flush()
    return kitchen


async def _driver(session: AsyncSession) -> Driver:
    user = await _somebody(session, Role.DRIVER)
    driver = Driver(user_id=user.id, verification_status=Verification.APPROVED)
    session.add(driver)
    await session.flush()
    return driver


async def _part_of_order(
    session: AsyncSession, order_id: UUID, dish: MenuItem, number: int
) -> None:
    session.add(
        OrderItem(
            order_id=order_id,
            menu_item_id=dish.id,
            name=dish.name,
            price_cents=dish.price_cents,
            quantity=1,
        )
    )
    # The first step is there since the order is.
    session.add(_step(order_id, number + 2, S.PENDING))


async def _cart_item(session: AsyncSession, cart_id: UUID, dish: MenuItem) -> None:
    session.add(
        CartItem(
            cart_id=cart_id,
            menu_item_id=dish.id,
            choice=str(dish.id),
            name=dish.name,
            price_cents=dish.price_cents,
            quantity=1,
            created_at=now(),
        )
    )


async def _order(session: AsyncSession, world: World, dish: MenuItem, **values: object) -> UUID:
    placed = world.placing()
    chosen = ChosenOption(id=uuid7(), group="Extras", name="ghee", price_cents=50)
    line = OrderLine(
        menu_item_id=dish.id, name=dish.name, price_cents=1000, quantity=2, options=[chosen]
    )
    await orders.begin(session, placed.model_copy(update={"lines": [line]}))
    await session.execute(
        update(Order).where(col(Order.id) == placed.order.id).values(paid_at=now(), **values)
    )
    return placed.order.id


async def _delivered(session: AsyncSession, world: World, dish: MenuItem) -> UUID:
    at = now()
    order_id = await _order(
        session,
        world,
        dish,
        status=S.DELIVERED,
        driver_id=world.drivers[0].id,
        accepted_at=at,
        prepared_at=at,
        picked_up_at=at,
        delivered_at=at,
    )
    session.add_all(_step(order_id, number, to) for number, to in enumerate(_COOKED, start=2))
    return order_id


async def _in_hand(session: AsyncSession, world: World, dish: MenuItem, status: S) -> None:
    await _order(session, world, dish, status=status)


async def _waiting(
    session: AsyncSession,
    world: World,
    dish: MenuItem,
    offer_id: UUID,
    preferred: Driver,
    number: int,
) -> None:
    """An order that looks for a driver, and is the next stop of the offer to the world's first."""
    order_id = await _order(session, world, dish, status=S.READY_FOR_PICKUP)
    at = now()
    session.add(
        DispatchSearch(
            order_id=order_id,
            zones=[f"zone {number}"],
            joined_at=at,
            preferred_driver_id=preferred.id,
        )
    )
    session.add(
        DriverAssignment(
            offer_id=offer_id,
            stop=number + 1,
            order_id=order_id,
            driver_id=world.drivers[0].id,
            status=AssignmentStatus.OFFERED,
            distance_km=1.0,
            estimated_pickup_time=at,
            estimated_delivery_time=at,
            offered_at=at,
            expires_at=at + timedelta(hours=1),
        )
    )


async def _opinions(session: AsyncSession, world: World, order_id: UUID) -> None:
    review = Review(
        order_id=order_id,
        reviewer_id=world.customer.user_id,
        reviewee_type=Reviewee.CHEF,
        reviewee_id=world.chef.id,
        rating=5,
        comment="Crisp.",
        status=ReviewStatus.VISIBLE,
    )
    session.add(review)
    await session.flush()
    session.add(
        ReviewReport(review_id=review.id, reporter_id=world.chef.user_id, reason="not my dosa")
    )
    session.add(
        RefundRequest(
            order_id=order_id,
            kind=RefundKind.COMPLAINT,
            asked_by=world.customer.user_id,
            amount_cents=100,
            reason="missing_item",
            status=RequestStatus.ASKED,
            bearer=Bearer.CHEF,
            tax_cents=0,
        )
    )


async def _money(
    session: AsyncSession, world: World, order_id: UUID, other: Chef, number: int
) -> None:
    """What an order has brought the chef, the driver and (for once) a chef who has no part in it,
    and a payout to each of the first two.
    """
    session.add(
        Payment(
            order_id=order_id,
            stripe_payment_intent_id=f"pi_{order_id}",
            amount_cents=2660,
            currency="usd",
            capture_method=CaptureMethod.AUTOMATIC,
            captured_cents=2660,
        )
    )
    session.add(
        Dispute(
            stripe_dispute_id=f"dp_{order_id.hex}",
            order_id=order_id,
            amount_cents=2660,
            currency="usd",
            reason="fraudulent",
            status="needs_response",
            inquiry=False,
            opened_at=now(),
        )
    )
    chef, driver = world.chef, world.drivers[0]
    payees = [(PayeeKind.CHEF, chef), (PayeeKind.DRIVER, driver)]
    owed = [payable(kind, payee.id) for kind, payee in payees]
    owed.append(payable(PayeeKind.CHEF, other.id))
    movement = Movement(
        key=f"many:{order_id}",
        event=Event.EARNED,
        currency="usd",
        postings=(
            Posting(Account.CUSTOMER_DEPOSITS, 100 * len(owed)),
            *(Posting(account, -100) for account in owed),
        ),
        order_id=order_id,
    )
    await ledger.book(session, movement)
    for kind, payee in payees:
        payout = Payout(
            user_id=payee.user_id,
            user_type=kind,
            payee_id=payee.id,
            market="austin",
            day=FIRST_DAY + timedelta(days=number),
            currency="usd",
            total_paid_cents=100,
            status=PayoutStatus.CLAIMED,
            stripe_account_id=account_id(payee.id),
        )
        session.add(payout)
        posting_id = await session.scalar(
            select(col(LedgerPosting.id))
            .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
            .where(
                col(LedgerMovement.key) == movement.key,
                col(LedgerPosting.account) == payable(kind, payee.id),
            )
        )
        await session.flush()
        session.add(PayoutItem(payout_id=payout.id, posting_id=posting_id))


async def _papers(session: AsyncSession, world: World) -> None:
    session.add(
        ChefDocument(
            chef_id=world.chef.id,
            document_type=ChefDocumentType.IDENTITY,
            storage_key="chefs/none",
            content_type="image/jpeg",
            bytes=1,
            digest="0" * 64,
            status=DocumentStatus.REJECTED,
        )
    )
    session.add(
        DriverDocument(
            driver_id=world.drivers[0].id,
            document_type=DocumentType.IDENTITY,
            file_url="https://files.example.com/me.jpg",
            status=DocumentStatus.REJECTED,
        )
    )


async def _personal(session: AsyncSession, world: World, kitchen: Chef, number: int) -> None:
    customer, begins = world.customer.user_id, now() + timedelta(days=number, hours=1)
    session.add(
        Address(
            user_id=customer,
            label=f"Place {number}",
            line1="1 Test Street",
            city="Testville",
            state="TX",
            postal_code="78701",
            country="US",
            latitude=world.door.latitude,
            longitude=world.door.longitude,
        )
    )
    session.add(Favourite(user_id=customer, chef_id=kitchen.id))
    session.add(
        Notification(
            business_key=f"many:{uuid7()}",
            user_id=customer,
            type="order",
            title="Told",
            message="Something was told.",
        )
    )
    session.add(
        DriverShift(
            driver_id=world.drivers[0].id, starts_at=begins, ends_at=begins + timedelta(hours=4)
        )
    )


async def _operators(session: AsyncSession, world: World, number: int) -> None:
    admin = world.admin.user_id
    session.add(
        PromoCode(
            code=f"MANY-{uuid7().hex.upper()}",
            discount_type=DiscountType.FIXED,
            discount_value=500,
            currency="usd",
        )
    )
    session.add(
        MarketSetting(
            market="austin",
            effective_from=now() + timedelta(days=number + 1),
            values={"rates": {"tax_bps": 800}},
            created_by=admin,
            reason="the city's new tax",
        )
    )
    session.add(
        AdminAction(
            business_key=f"many:{uuid7()}",
            admin_id=admin,
            action_type="user_suspended",
            target_type="user",
            target_id=world.customer.user_id,
        )
    )
    session.add(
        ReconciliationCase(
            subject=f"many:{number}",
            kind=CaseKind.UNKNOWN_TRANSACTION,
            amount_cents=100,
            currency="usd",
            opened_at=now(),
        )
    )


def _step(order_id: UUID, sequence: int, to: OrderStatus) -> OrderStatusHistory:
    return OrderStatusHistory(
        order_id=order_id,
        sequence=sequence,
        was=S.PENDING,
        status=to,
        actor=Actor.CHEF,
        created_at=now(),
    )
