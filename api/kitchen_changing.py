"""From what a chef sends to a kitchen that can be, or a clear word why it cannot."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api import kitchen_verification
from api.dependencies import Services
from api.errors import chef_cannot_be_paid, conflict, invalid, unavailable
from api.kitchens import ApplicationBody, AvailabilityBody, KitchenBody
from domain.geo import Point
from domain.kitchens import has_moved
from domain.verification import Verification
from providers.maps import AddressNotFound, MapsUnavailable
from schema.queries import chef_profiles
from schema.queries.chef_profiles import Profile
from schema.tables import Chef
from settings import Settings


def market(settings: Settings, body: ApplicationBody) -> str:
    """The market that a kitchen is to be in. Raises Problem."""
    if body.market is None and len(settings.markets) > 1:
        raise invalid("market", "market_needed", f"which of {', '.join(settings.markets)}?")
    name = body.market or next(iter(settings.markets))
    if name not in settings.markets:
        raise invalid("market", "unknown_market", "there is no such market")
    return name


async def place(held: Services, body: ApplicationBody | KitchenBody) -> Point:
    """Where a kitchen is, by its position or by its address. Raises Problem."""
    if (body.latitude is None) != (body.longitude is None):
        raise invalid("latitude", "half_a_position", "latitude and longitude come together")
    if body.latitude is not None and body.longitude is not None:
        return Point(body.latitude, body.longitude)
    try:
        return await held.maps.geocode(body.address)
    except AddressNotFound as unknown:
        raise invalid("address", "address_not_found", "no map knows this address") from unknown
    except MapsUnavailable as away:
        raise unavailable("no map answers") from away


async def new_place(held: Services, known: Chef, body: KitchenBody) -> Point | None:
    """Where a kitchen is to be, None where it stays. An address that is said once more is not
    looked up again: its pin may have been set by hand. Raises Problem.
    """
    if body.latitude is None and body.longitude is None and body.address in {"", known.address}:
        return None
    return await place(held, body)


async def change(
    session: AsyncSession, seen: Profile, body: KitchenBody, to: Point | None, now: datetime
) -> None:
    """Write down what is otherwise about a kitchen, which must be locked. At another place, or
    another address, it has to be verified again. Raises Problem where it has moved meanwhile.
    """
    row = seen.chef
    is_same = body.address in {"", row.address}
    if to is None and not is_same:
        raise conflict("kitchen_changed", "the kitchen has moved meanwhile: look at it first")
    values = body.model_dump(include=body.model_fields_set - {"latitude", "longitude"})
    if to is not None:
        values |= {"latitude": to.latitude, "longitude": to.longitude}
        is_same = is_same and not has_moved(Point(row.latitude, row.longitude), to)
    await chef_profiles.change(session, row.id, values)
    if not is_same:
        await kitchen_verification.moved(session, seen, now)


async def open_or_close(session: AsyncSession, seen: Profile, body: AvailabilityBody) -> None:
    """Write down how a kitchen, which must be locked, takes orders.

    Raises Problem where it is to be opened and is not let in, or its money would have nowhere to
    go. Closing is never refused.
    """
    if body.changes.get("accepting_orders"):
        standing = seen.chef.verification_status
        if standing is not Verification.APPROVED:
            raise conflict(
                "chef_not_verified",
                f"the kitchen is {standing}: it is opened when it is approved",
                verificationStatus=standing,
            )
        if not seen.can_be_paid:
            raise chef_cannot_be_paid()
    await chef_profiles.change(session, seen.chef.id, body.changes)
