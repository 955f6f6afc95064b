"""The addresses that people keep (seed 004, section 6.1)."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api.dependencies import ServicesDep
from api.errors import conflict, not_found, problems
from api.people import AddressOut, SavedAddressBody, address, address_values
from api.permits import ActsOnProfile, MayReadProfile
from api.positions_of_addresses import position
from schema.queries import addresses
from schema.tables import Address

router = APIRouter(prefix="/users/me/addresses", tags=["Users"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CHANGES = _LOOKING | problems(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("", responses=_LOOKING)
async def list_addresses(held: ServicesDep, who: MayReadProfile) -> list[AddressOut]:
    """List the caller's addresses (50 at most), the default first, then the newest first."""
    async with held.database.read() as session:
        return [address(row) for row in await addresses.listed(session, who.user_id)]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGES | problems(HTTPStatus.CONFLICT),
)
async def add_address(held: ServicesDep, who: ActsOnProfile, body: SavedAddressBody) -> AddressOut:
    """Keep an address; the first is the default. The same again is the one that is there."""
    point = await position(held, body, field="line1")
    wanted = Address(user_id=who.user_id, is_default=body.is_default, **address_values(body, point))
    async with held.database.write() as session:
        try:
            return address(await addresses.add(session, wanted))
        except addresses.TooMany as too_many:
            raise conflict(
                "too_many_addresses", f"{addresses.MOST} addresses are kept at most"
            ) from too_many


@router.put("/{address_id}", responses=_CHANGES | problems(HTTPStatus.NOT_FOUND))
async def change_address(
    held: ServicesDep, who: ActsOnProfile, address_id: UUID, body: SavedAddressBody
) -> AddressOut:
    """Let an address be another, all of it. With `isDefault` it is the default from now on; the
    default stays so until another one is.
    """
    async with held.database.read() as session:
        if await addresses.of(session, who.user_id, address_id) is None:
            raise not_found("address of yours")
    point = await position(held, body, field="line1")
    async with held.database.write() as session:
        row = await addresses.change(
            session,
            who.user_id,
            address_id,
            address_values(body, point),
            make_default=body.is_default,
        )
        if row is None:
            raise not_found("address of yours")
        return address(row)


@router.delete(
    "/{address_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_LOOKING | problems(HTTPStatus.NOT_FOUND),
)
async def remove_address(held: ServicesDep, who: ActsOnProfile, address_id: UUID) -> None:
    """Keep an address no more. After the default, the newest of the others is it."""
    async with held.database.write() as session:
        if not await addresses.remove(session, who.user_id, address_id):
            raise not_found("address of yours")
