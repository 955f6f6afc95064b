"""From what a customer sends to an order that can be placed, or a clear word why it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.bodies import MOST_TIP_CENTS, ItemBody, OrderBody
from api.dependencies import Services
from api.errors import (
    Problem,
    chef_cannot_be_paid,
    conflict,
    invalid,
    not_found,
    unauthorised,
)
from api.kitchen_hours import is_open, zone
from api.markets import InForce, in_force
from api.positions_of_addresses import position
from domain import eta, geo, prep_time, promo
from domain.choices import CannotBeChosen, Group, choose, portion_cents
from domain.geo import Point
from domain.placing import needs_place
from domain.pricing import Price, Rates, price
from domain.promo import Verdict
from schema.messages.order import (
    Address,
    CaptureMethod,
    ChosenOption,
    Order,
    OrderLine,
    Placing,
)
from schema.queries import choices, kitchens, payees, people, prep_times, promos, stock
from schema.tables import Chef, MenuItem, Role
from settings import Settings

# An authorisation dies after about seven days, so it is not asked for much longer ahead.
FURTHEST_AHEAD = {
    CaptureMethod.AUTOMATIC: timedelta(days=14),
    CaptureMethod.MANUAL: timedelta(days=6),
}
# What Stripe takes in one payment, less the highest tip: it may be given later.
MOST_CENTS = 99_999_999 - MOST_TIP_CENTS
# Stripe takes no less in one payment (USD; other currencies: docs.stripe.com/currencies), the tip
# left aside: it may be taken back.
LEAST_CENTS = 50


@dataclass(frozen=True)
class Basket:
    """What a customer wants to order, found to be possible, and priced.

    `prep_minutes` are the menu's, `drive_seconds` by the city's clock. `ready_at` is as likely late
    as early, `delivery_at` is promised: kept two times in three, as far as the kitchen goes.
    """

    chef: Chef
    rates: Rates
    lines: list[OrderLine]
    kitchen: Point
    door: Point
    prep_minutes: int
    drive_seconds: float
    ready_at: datetime
    delivery_at: datetime
    at: datetime
    bill: Price
    promo: Verdict | None

    @property
    def distance_km(self) -> float:
        """How far it is from kitchen to door, as the delivery fee counts it."""
        return geo.distance_km(self.kitchen, self.door)

    @property
    def road_km(self) -> float:
        """How far the driver has to go."""
        return geo.road_km(self.kitchen, self.door)


def placing(held: Services, customer_id: UUID, found: Basket, body: OrderBody) -> Placing:
    """An order that can be placed, at the price that a quote of the same body names.

    Raises Problem with a promo code's reason when that does not apply.
    """
    if found.promo is not None and found.promo.reason is not None:
        raise conflict(found.promo.reason, found.promo.words)
    return Placing(
        order=Order(
            id=uuid7(),
            customer_id=customer_id,
            chef_id=found.chef.id,
            market=found.chef.market,
            timezone=zone(held.settings, found.chef),
            kitchen_name=found.chef.business_name,
            kitchen=found.kitchen,
            door=found.door,
            road_km=found.road_km,
            price=found.bill,
            drive_seconds=found.drive_seconds,
            prep_minutes=found.prep_minutes,
            placed_at=found.at,
            scheduled_for=body.scheduled_for,
            estimated_ready_at=found.ready_at,
            estimated_pickup_at=found.ready_at,
            estimated_delivery_at=found.delivery_at,
            promo_code=found.promo.code if found.promo else None,
            proof_kind=body.delivery_proof or held.settings.delivery_proof,
        ),
        lines=found.lines,
        address=Address(**body.delivery_address.model_dump(exclude={"latitude", "longitude"})),
        instructions=body.instructions,
    )


async def basket(held: Services, customer_id: UUID, body: OrderBody) -> Basket:
    """Check that chef, hours, dishes and distance allow the order, and price it.

    A promo code that does not apply is told in the basket and takes nothing off. Raises Problem
    with a code that says what is in the way, and CannotBePlaced when too little is left.
    """
    now = datetime.now(UTC)
    async with held.database.read() as session:
        if not await people.exists(session, customer_id, Role.CUSTOMER):
            raise unauthorised("the account is gone")
        chef = await kitchens.chef(session, body.chef_id)
        if chef is None:
            raise not_found("chef")
        can_be_paid = await payees.can_be_paid(session, chef.id)
        dishes = await kitchens.dishes(session, chef.id, {i.menu_item_id for i in body.items})
        groups = await choices.groups(session, dishes)
        cooked = await prep_times.cooked(session, chef.id, held.settings.city)
        load = await prep_times.load(session, chef.id)
        market = await in_force(session, held.settings, chef.market, now)
    lines = [
        line(item, dishes, groups, within=f"items.{number}.")
        for number, item in enumerate(body.items)
    ]
    stock.check(dishes.values(), stock.wanted(lines))
    prep_minutes = max(dish.prep_time_minutes for dish in dishes.values())
    kitchen = Point(chef.latitude, chef.longitude)
    door = await position(held, body.delivery_address, field="deliveryAddress")
    _check_radius(chef, market, kitchen, door)
    city = held.settings.city
    drive = await held.travel.drive(kitchen, door)
    prep = prep_time.from_placing(cooked, prep_minutes, load)
    ready = eta.ready_at(now, prep.minutes, city)
    delivery = eta.delivery_time(eta.ready_at(now, prep.promised, city), drive, city)
    if body.scheduled_for is not None:
        _check_schedule(body.scheduled_for, now, delivery, held.settings)
        ready, delivery = eta.ready_for(body.scheduled_for, drive, city), body.scheduled_for
    _check_open(held.settings, chef, body.scheduled_for or now)
    if not can_be_paid:
        raise chef_cannot_be_paid()
    if needs_place(body.scheduled_for, ready, prep_minutes, now):
        async with held.database.read() as session:
            await stock.check_place(session, chef, now)

    food = [(dish.price_cents, dish.quantity) for dish in lines]
    tried_on = promo.Basket(
        subtotal_cents=sum(cents * quantity for cents, quantity in food),
        currency=market.rates.currency,
        market=chef.market,
        at=now,
    )
    verdict = await _promo(held, customer_id, body.promo_code, tried_on)
    bill = price(
        food,
        market.rates,
        geo.distance_km(kitchen, door),
        tip_cents=body.tip_cents,
        discount_cents=verdict.discount_cents if verdict else 0,
    )
    _check_amount(chef, bill)
    return Basket(
        chef=chef,
        rates=market.rates,
        lines=lines,
        kitchen=kitchen,
        door=door,
        prep_minutes=prep_minutes,
        drive_seconds=drive.total_seconds() * city.pace,
        ready_at=ready,
        delivery_at=delivery,
        at=now,
        bill=bill,
        promo=verdict,
    )


async def _promo(
    held: Services, customer_id: UUID, code: str | None, tried_on: promo.Basket
) -> Verdict | None:
    if code is None:
        return None
    async with held.database.read() as session:
        return await promos.verdict(session, code, customer_id, tried_on)


def line(
    item: ItemBody,
    dishes: Mapping[UUID, MenuItem],
    groups: Mapping[UUID, Sequence[Group]],
    *,
    within: str = "",
) -> OrderLine:
    """A dish as it is ordered now: named, priced, with the options that were chosen.

    Raises Problem with the field, `within` the body, that cannot be as it is.
    """
    field = f"{within}menuItemId"
    dish = dishes.get(item.menu_item_id)
    if dish is None:
        raise invalid(field, "unknown_menu_item", "this chef has no such dish")
    if not dish.is_available:
        raise invalid(field, "menu_item_unavailable", f"{dish.name} is not available")
    try:
        chosen = choose(groups.get(dish.id, []), item.options)
    except CannotBeChosen as mistake:
        words = f"{dish.name}: {mistake}"
        raise invalid(f"{within}options", mistake.why, words) from mistake
    return OrderLine(
        menu_item_id=dish.id,
        name=dish.name,
        price_cents=portion_cents(dish.price_cents, chosen),
        quantity=item.quantity,
        options=tuple(
            ChosenOption(
                id=choice.option.id,
                group=choice.group,
                name=choice.option.name,
                price_cents=choice.option.price_cents,
            )
            for choice in chosen
        ),
        special_instructions=item.special_instructions,
    )


def takes_orders(held: Services, chef: Chef, at: datetime) -> bool:
    """Whether a kitchen takes orders at a moment: it is open, and so is its door."""
    try:
        _check_open(held.settings, chef, at)
    except Problem:
        return False
    return True


def _check_open(settings: Settings, chef: Chef, at: datetime) -> None:
    if not (chef.is_online and chef.accepting_orders):
        raise conflict("chef_not_accepting", f"{chef.business_name} takes no orders now")
    if not is_open(settings, chef, at):
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


def _check_radius(chef: Chef, market: InForce, kitchen: Point, door: Point) -> None:
    distance, ceiling = geo.distance_km(kitchen, door), market.most_service_radius_km
    if distance <= min(chef.service_radius_km, ceiling):
        return
    if chef.service_radius_km <= ceiling:
        within = f"{chef.business_name} delivers within {chef.service_radius_km:g} km"
    else:
        within = f"kitchens of {chef.market} deliver within {ceiling:g} km"
    raise invalid(
        "deliveryAddress",
        "outside_delivery_radius",
        f"{within}; this address is {distance:.1f} km away",
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
    if bill.total_cents - bill.tip_cents < LEAST_CENTS:
        raise invalid("items", "order_too_small", f"an order is {LEAST_CENTS} cents at least")
