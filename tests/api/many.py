"""A world in which there is one of everything that is listed, and then many: written straight into
the tables, since fifty people with fifty orders each would take their time at the facade.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from domain import webhooks
from domain.delivering import DeliveryStatus, Way
from domain.drivers import DocumentType
from domain.kitchens import ChefDocumentType
from domain.promo import DiscountType
from domain.reconciliation import CaseKind
from domain.verification import DocumentStatus, Verification
from domain.webhooks import EventType
from local.world import ALWAYS, World
from schema.database import Database
from schema.queries import orders
from schema.tables import (
    Address,
    AdminAction,
    Cart,
    CartItem,
    Chef,
    ChefDocument,
    Device,
    DeviceKind,
    Driver,
    DriverDocument,
    DriverShift,
    Favourite,
    MarketSetting,
    Menu,
    MenuItem,
    MenuItemOption,
    Notification,
    NotificationDelivery,
    OptionGroup,
    PromoCode,
    ReconciliationCase,
    Role,
    User,
    UserProfile,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from schema.tables.columns import now
from tests.api import many_orders


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
    webhook_id: UUID
    size: int = 0

    @property
    def ids(self) -> Mapping[str, str]:
        """What stands in the paths of operations about this world."""
        return {
            "order_id": str(self.order_id),
            "chef_id": str(self.world.chef.id),
            "driver_id": str(self.world.drivers[0].id),
            "day": str(many_orders.FIRST_DAY),
            "market": "austin",
            "webhook_id": str(self.webhook_id),
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
        await many_orders.part(session, self.order_id, dish, number)
        await many_orders.message(session, world, self.order_id, number)
        await _cart_item(session, self.cart_id, dish)
        delivered = await many_orders.delivered(session, world, dish)
        await many_orders.opinions(session, world, delivered)
        await many_orders.money(session, world, delivered, kitchen, number)
        await many_orders.in_hand(session, world, dish, number)
        await many_orders.waiting(session, world, dish, self.offer_id, driver, number)
        await _papers(session, world)
        await _personal(session, world, kitchen, number)
        await _operators(session, world, number)
        await _webhooks(session, world, self.webhook_id)


async def crowd(database: Database, world: World) -> Crowd:
    """A world of which there can be more."""
    placed = world.placing()
    async with database.write() as session:
        await orders.begin(session, placed)
        cart = Cart(customer_id=world.customer.user_id, chef_id=world.chef.id)
        till = _till(world)
        session.add_all([cart, till])
        # What is said about an order that nobody complains about admins do not read.
        session.add(many_orders.complaint(world, placed.order.id))
    return Crowd(database, world, placed.order.id, cart.id, uuid7(), till.id)


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
    told = Notification(
        business_key=f"many:{uuid7()}",
        user_id=customer,
        type="order",
        title="Told",
        message="Something was told.",
    )
    session.add(told)
    await session.flush()
    session.add(
        NotificationDelivery(
            notification_id=told.id,
            channel=Way.EMAIL,
            status=DeliveryStatus.SENT,
            due_at=begins,
            good_until=begins,
            handed_over_at=begins,
        )
    )
    session.add(
        Device(
            user_id=customer,
            kind=DeviceKind.FCM,
            token=f"many:{uuid7()}",
            last_seen_at=now(),
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


def _till(world: World) -> WebhookEndpoint:
    return WebhookEndpoint(
        chef_id=world.chef.id,
        url="https://till.example.com/hook",
        event_types=[EventType.ORDER_CREATED],
        created_by=world.chef.user_id,
    )


async def _webhooks(session: AsyncSession, world: World, webhook_id: UUID) -> None:
    told = WebhookDelivery(
        endpoint_id=webhook_id,
        event_type=EventType.ORDER_CREATED,
        business_key=str(uuid7()),
        payload={},
        status=webhooks.DeliveryStatus.SUCCEEDED,
        attempts=2,
    )
    session.add_all([_till(world), told])
    await session.flush()
    session.add_all(
        WebhookAttempt(delivery_id=told.id, number=number, milliseconds=1) for number in (1, 2)
    )
