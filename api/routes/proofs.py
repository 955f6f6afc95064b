"""Photos of orders at the door."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import pictures, views
from api.bodies import Latitude, Longitude
from api.dependencies import (
    Services,
    ServicesDep,
    order_of,
)
from api.errors import conflict, invalid, not_found, problems
from api.permits import MayDeliver, MayReadProofs
from api.views import PhotoOut
from domain.geo import Point
from domain.order_status import ON_THE_WAY
from schema.queries import proofs
from schema.tables import DeliveryPhoto

router = APIRouter()

# Enough for a shaky hand.
MOST_PHOTOS = 10


async def _place(
    latitude: Annotated[Latitude | None, Query(description="Where it was taken.")] = None,
    longitude: Annotated[Longitude | None, Query()] = None,
) -> Point | None:
    if latitude is not None and longitude is not None:
        return Point(latitude, longitude)
    if latitude is not None or longitude is not None:
        raise invalid("latitude", "half_a_position", "latitude and longitude come together")
    return None


Place = Annotated[Point | None, Depends(_place)]


@router.post(
    "/delivery/orders/{order_id}/proof",
    tags=["Delivery"],
    openapi_extra=pictures.REQUEST,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def send_photo(
    held: ServicesDep,
    who: MayDeliver,
    order_id: UUID,
    place: Place,
    request: Request,
) -> PhotoOut:
    """Send a photo of the order where it was handed over, as the body itself (JPEG, PNG or WebP),
    before saying `delivered`. It may be sent again, and another one after it: the newest counts.
    """
    order = await order_of(held, order_id, who)
    picture = await pictures.read(request, held.settings.proof_max_bytes)
    if order.driver_id is None:
        raise not_found("order")
    photo = DeliveryPhoto(
        order_id=order_id,
        driver_id=order.driver_id,
        storage_key=f"proofs/{order_id}/{picture.name}",
        digest=picture.digest,
        bytes=len(picture.content),
        content_type=picture.kind,
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
    )
    return views.photo(await _kept(held, photo, picture.content))


@router.get(
    "/orders/{order_id}/proof",
    tags=["Orders"],
    response_class=Response,
    responses={
        HTTPStatus.OK.value: {"description": "The photo", "content": pictures.CONTENT},
        **problems(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    },
)
async def look_at_photo(held: ServicesDep, who: MayReadProofs, order_id: UUID) -> Response:
    """Look at the photo of the order at the door, the newest if there are several."""
    await order_of(held, order_id, who)
    async with held.database.read() as session:
        photo = await proofs.photo_of(session, order_id)
    if photo is None:
        raise not_found("photo")
    return Response(
        await held.storage.get(photo.storage_key),
        media_type=photo.content_type,
        headers={"Cache-Control": "private", **pictures.HARMLESS},
    )


async def _kept(held: Services, photo: DeliveryPhoto, content: bytes) -> DeliveryPhoto:
    """The photo, kept; the one that was sent before if it is the same.

    First the file, then the row: whoever dies between them is asked again, and both are the same
    then. Raises Problem where it is not the time for photos, StorageAway.
    """
    async with held.database.write() as session:
        known = await _known_or_possible(session, photo)
    if known is not None:
        return known
    await held.storage.put(photo.storage_key, content)
    async with held.database.write() as session:
        known = await _known_or_possible(session, photo)
        if known is not None:
            return known
        session.add(photo)
    return photo


async def _known_or_possible(session: AsyncSession, photo: DeliveryPhoto) -> DeliveryPhoto | None:
    """The same photo, sent before, or None where it may be kept now. Raises Problem."""
    order_id, driver_id = photo.order_id, photo.driver_id
    # Before all else: until this transaction ends nobody else sends one or hands the order over.
    handover = await proofs.handover(session, order_id)
    known = await proofs.same_photo(session, order_id, driver_id, photo.digest)
    if known is not None:
        return known
    if handover.status not in ON_THE_WAY or handover.driver_id != driver_id:
        raise conflict(
            "not_on_the_way", "the order is not on its way", currentStatus=handover.status
        )
    if await proofs.photos_by(session, order_id, driver_id) >= MOST_PHOTOS:
        raise conflict("too_many_photos", f"there are {MOST_PHOTOS} photos of this order already")
    return None
