"""The devices that people get pushes on."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api.dependencies import ServicesDep
from api.devices import DeviceBody, DeviceOut, VapidKeyOut, device, is_of_a_push_service
from api.errors import Problem, invalid, not_found, problems
from api.permits import ActsOnProfile, Anyone, MayReadProfile
from providers import vapid
from schema.queries import reach

router = APIRouter(tags=["Users"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@router.get("/users/me/devices", responses=_LOOKING)
async def list_devices(held: ServicesDep, who: MayReadProfile) -> list[DeviceOut]:
    """List the caller's devices (20 at most), the one that was seen last first."""
    async with held.database.read() as session:
        return [device(row) for row in await reach.devices(session, who.user_id)]


@router.post("/users/me/devices", responses=_LOOKING)
async def register_device(held: ServicesDep, who: ActsOnProfile, body: DeviceBody) -> DeviceOut:
    """Have the caller reached on a device; an app does so whenever it starts. The same again is the
    same device, and whoever had it before has it no more. Beyond twenty, the one that was not seen
    for the longest is forgotten.
    """
    if body.subscription and not held.settings.web_push_anywhere:
        _at_a_push_service(body.subscription.endpoint)
    async with held.database.write() as session:
        row = await reach.register(
            session,
            who.user_id,
            kind=body.kind,
            token=body.address,
            said=body.said,
            at=datetime.now(UTC),
        )
        return device(row)


@router.delete(
    "/users/me/devices/{device_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_LOOKING | problems(HTTPStatus.NOT_FOUND),
)
async def remove_device(held: ServicesDep, who: ActsOnProfile, device_id: UUID) -> None:
    """Have the caller reached on a device no more, as when he logs out there."""
    async with held.database.write() as session:
        if not await reach.remove(session, who.user_id, device_id):
            raise not_found("device of yours")


@router.get("/push/vapid-key", dependencies=[Anyone], responses=problems(HTTPStatus.NOT_FOUND))
async def vapid_key(held: ServicesDep) -> VapidKeyOut:
    """Get the key that a browser subscribes to pushes with."""
    written = held.settings.vapid_private_key.get_secret_value()
    if not written:
        raise Problem(HTTPStatus.NOT_FOUND, "no_web_push", "nothing is pushed to browsers here")
    return VapidKeyOut(public_key=vapid.public_key(vapid.private_key(written)))


def _at_a_push_service(endpoint: str) -> None:
    if not is_of_a_push_service(endpoint):
        raise invalid(
            "subscription.endpoint", "unknown_push_service", "no push service has this address"
        )
