"""How somebody becomes a driver, and what he says of himself."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api import auth, verification
from api.dependencies import Services, ServicesDep
from api.driver_lookup import driver_of, profile_of
from api.driver_profiles import (
    DocumentBody,
    DocumentOut,
    DriverProfileOut,
    RegisterBody,
    RegisteredOut,
    ShiftOut,
    ShiftsBody,
    ShiftsOut,
    VehicleBody,
    document,
)
from api.errors import conflict, invalid, problems, unauthorised
from api.permits import MayApplyAsDriver, MayDeliver, MayReadDeliveries
from domain import shifts as rules
from domain.shifts import Shift
from schema.queries import driver_profiles, order_views, people, shifts
from schema.tables import Driver, Role

router = APIRouter(prefix="/delivery", tags=["Delivery"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@router.post(
    "/register",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def register(held: ServicesDep, who: MayApplyAsDriver, body: RegisterBody) -> RegisteredOut:
    """Become a driver. The account is a driver's from now on and orders no food; go on with the
    token of the answer. An admin lets the driver in when all documents are there.
    """
    wanted = body.vehicle
    async with held.database.write() as session:
        login = await people.locked_login(session, who.user_id)
        if login is None or login.role not in {Role.CUSTOMER, Role.DRIVER}:
            raise unauthorised("the account is gone")
        if login.role is Role.CUSTOMER and await order_views.has_open(session, who.user_id):
            raise conflict("orders_open", "an order of yours is not over yet")
        row = Driver(user_id=who.user_id, vehicle_type=wanted.type, vehicle_plate=wanted.plate)
        is_new = await driver_profiles.register(session, row)
        await people.become(session, who.user_id, Role.DRIVER)
    driver_id = await driver_of(held, who)
    out = await profile_of(held, driver_id)
    if not is_new and (out.vehicle.type, out.vehicle.plate) != (wanted.type, wanted.plate):
        raise conflict("already_registered", "you are a driver already, with another vehicle")
    return RegisteredOut(
        access_token=auth.access_token(
            login._replace(role=Role.DRIVER),
            held.settings,
            who.issued_at,
            logged_in_at=who.logged_in_at,
        ),
        expires_in=auth.seconds_left(who, held.settings),
        driver=out,
    )


@router.get("/profile", responses=_LOOKING)
async def get_profile(held: ServicesDep, who: MayReadDeliveries) -> DriverProfileOut:
    """See how the caller stands: whether he may deliver, what he has still to show, how he does."""
    return await profile_of(held, await driver_of(held, who))


@router.put("/vehicle", responses=_CHANGES)
async def change_vehicle(held: ServicesDep, who: MayDeliver, body: VehicleBody) -> DriverProfileOut:
    """Deliver with another vehicle. Where it needs documents of its own, the driver is off duty
    until they are approved.
    """
    driver_id = await driver_of(held, who)
    async with held.database.write() as session:
        offered = await verification.change_vehicle(session, driver_id, body, datetime.now(UTC))
    await verification.ask_others(held, offered)
    return await _as_he_stands(held, driver_id)


@router.post("/documents", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def hand_in_document(held: ServicesDep, who: MayDeliver, body: DocumentBody) -> DocumentOut:
    """Hand in a document, in place of the one of its type that nobody has looked at yet. One that
    is approved counts until it expires.
    """
    driver_id = await driver_of(held, who)
    async with held.database.write() as session:
        row = await verification.hand_in(session, driver_id, body, datetime.now(UTC))
    return document(row)


@router.get("/shifts", responses=_LOOKING)
async def list_shifts(held: ServicesDep, who: MayReadDeliveries) -> ShiftsOut:
    """List the caller's shifts that have not ended, the first first."""
    driver_id = await driver_of(held, who)
    async with held.database.read() as session:
        return _shifts(await shifts.to_come(session, driver_id, datetime.now(UTC)))


@router.put("/shifts", responses=_CHANGES)
async def plan_shifts(held: ServicesDep, who: MayDeliver, body: ShiftsBody) -> ShiftsOut:
    """Say when the caller will be there, all of it at once: what was planned and is not in the list
    is off. A shift that has begun stays as it is.
    """
    asked = [Shift(shift.starts_at, shift.ends_at) for shift in body.shifts]
    driver_id = await driver_of(held, who)
    async with held.database.write() as session:
        await verification.locked(session, driver_id)
        # After waiting for the lock: what has begun by then has begun.
        now = datetime.now(UTC)
        begun = [s for s in await shifts.to_come(session, driver_id, now) if s.starts_at <= now]
        objection = rules.objection(asked, begun, now)
        if objection is not None:
            raise invalid(f"shifts.{objection.number}", objection.mistake, objection.words)
        await shifts.replan(session, driver_id, [s for s in asked if s not in begun], now)
        return _shifts(await shifts.to_come(session, driver_id, now))


async def _as_he_stands(held: Services, driver_id: UUID) -> DriverProfileOut:
    out = await profile_of(held, driver_id)
    if not out.is_available:
        await held.positions.forget(driver_id)
    return out


def _shifts(planned: list[Shift]) -> ShiftsOut:
    return ShiftsOut(shifts=[ShiftOut(**shift._asdict()) for shift in planned])
