"""From what a customer sends to an order that can be placed, or a clear word why it cannot."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.bodies import MOST_TIP_CENTS, AddressBody, ItemBody, OrderBody
from api.dependencies import Services
from api.errors import chef_cannot_be_paid, conflict, invalid, not_found, unauthorised, unavailable
from domain import eta, geo
from domain.geo import Point
from domain.hours import is_open
from domain.pricing import Price, price
from providers.maps import AddressNotFound, MapsUnavailable
from schema.messages.order import Address, CaptureMethod, Order, OrderLine, Placing
from schema.queries import kitchens, payees, people
from schema.tables import Chef, MenuItem
from settings import Settings

# An authorisation dies after about seven days, so it is not asked for much longer ahead.
FURTHEST_AHEAD = {
    CaptureMethod.AUTOMATIC: timedelta(days=14),
    CaptureMethod.MANUAL: timedelta(days=6),
}
# What Stripe takes in one payment, less the highest tip: it may be given later.
MOST_CENTS = 99_999_999 - MOST_TIP_CENTS


async def checkout(held: Services, customer_id: UUID, body: OrderBody) -> Placing:
    """Check that chef, hours, dishes and distance allow the order, and price it.

    Raises Problem with a code that says which of them does not.
    """
    now = datetime.now(UTC)
    async with held.database.read() as session:
        if not await people.exists(session, customer_id):
            raise unauthorised("the account is gone")
        chef = await kitchens.chef(session, body.chef_id)
        if chef is None:
            raise not_found("chef")
        can_be_paid = await payees.can_be_paid(session, chef.id)
        dishes = await kitchens.dishes(session, chef.id, {i.menu_item_id for i in body.items})
    market = held.settings.markets[chef.market]
    lines = [_line(number, item, dishes) for number, item in enumerate(body.items)]
    prep_minutes = max(dishes[line.menu_item_id].prep_time_minutes for line in lines)
    kitchen = Point(chef.latitude, chef.longitude)
    door = await _position(held, body.delivery_address)
    _check_radius(chef, kitchen, door)
    road_km = geo.road_km(kitchen, door)
    ready = eta.ready_at(now, prep_minutes)
    if body.scheduled_for is not None:
        _check_schedule(body.scheduled_for, now, eta.delivery_time(ready, road_km), held.settings)
        ready = eta.ready_for(body.scheduled_for, road_km)
    _check_open(chef, body.scheduled_for or now, market.timezone)
    if not can_be_paid:
        raise chef_cannot_be_paid()

    bill = price(
        [(line.price_cents, line.quantity) for line in lines],
        market.rates,
        geo.distance_km(kitchen, door),
        tip_cents=body.tip_cents,
    )
    _check_amount(chef, bill)
    return Placing(
        order=Order(
            id=uuid7(),
            customer_id=customer_id,
            chef_id=chef.id,
            market=chef.market,
            kitchen_name=chef.business_name,
            kitchen=kitchen,
            door=door,
            road_km=road_km,
            price=bill,
            prep_minutes=prep_minutes,
            placed_at=now,
            scheduled_for=body.scheduled_for,
            estimated_ready_at=ready,
            estimated_delivery_at=eta.delivery_time(ready, road_km),
        ),
        lines=lines,
        address=Address(**body.delivery_address.model_dump(exclude={"latitude", "longitude"})),
        instructions=body.instructions,
    )


def _line(number: int, item: ItemBody, dishes: dict[UUID, MenuItem]) -> OrderLine:
    field = f"items.{number}.menuItemId"
    dish = dishes.get(item.menu_item_id)
    if dish is None:
        raise invalid(field, "unknown_menu_item", "this chef has no such dish")
    if not dish.is_available:
        raise invalid(field, "menu_item_unavailable", f"{dish.name} is not available")
    return OrderLine(
        menu_item_id=dish.id,
        name=dish.name,
        price_cents=dish.price_cents,
        quantity=item.quantity,
        special_instructions=item.special_instructions,
    )


def _check_open(chef: Chef, at: datetime, timezone: str) -> None:
    if not chef.accepting_orders:
        raise conflict("chef_not_accepting", f"{chef.business_name} takes no orders now")
    if not is_open(chef.operating_hours, at, timezone):
        raise conflict(
            "chef_closed",
            f"{chef.business_name} is closed at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        )


def _check_schedule(
    scheduled: datetime, now: datetime, earliest: datetime, settings: Settings
) -> None:
    if scheduled < earliest:
        raise invalid(
            "scheduledFor", "scheduled_too_soon", f"the earliest is {earliest:%Y-%m-%dT%H:%M:%SZ}"
        )
    ahead = FURTHEST_AHEAD[CaptureMethod(settings.capture_method)]
    if scheduled > now + ahead:
        raise invalid(
            "scheduledFor", "scheduled_too_late", f"at most {ahead.days} days ahead, please"
        )


async def _position(held: Services, address: AddressBody) -> Point:
    if (address.latitude is None) != (address.longitude is None):
        raise invalid("deliveryAddress", "half_a_position", "latitude and longitude come together")
    if address.latitude is not None and address.longitude is not None:
        return Point(address.latitude, address.longitude)
    written = (
        f"{address.line1}, {address.city}, {address.state} {address.postal_code}, {address.country}"
    )
    try:
        return await held.maps.geocode(written)
    except AddressNotFound as unknown:
        raise invalid(
            "deliveryAddress", "address_not_found", "no map knows this address"
        ) from unknown
    except MapsUnavailable as away:
        raise unavailable("no map answers") from away


def _check_radius(chef: Chef, kitchen: Point, door: Point) -> None:
    distance = geo.distance_km(kitchen, door)
    if distance > chef.service_radius_km:
        raise invalid(
            "deliveryAddress",
            "outside_delivery_radius",
            f"{chef.business_name} delivers within {chef.service_radius_km:g} km;"
            f" this address is {distance:.1f} km away",
        )


def _check_amount(chef: Chef, bill: Price) -> None:
    if bill.subtotal_cents < chef.minimum_order_cents:
        raise invalid(
            "items",
            "below_minimum",
            f"{chef.business_name} asks for dishes worth {chef.minimum_order_cents} cents at least",
        )
    if bill.total_cents - bill.tip_cents > MOST_CENTS:
        raise invalid("items", "order_too_large", f"an order is {MOST_CENTS} cents at most")
