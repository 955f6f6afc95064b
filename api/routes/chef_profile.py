"""How somebody becomes a chef, what he shows, and what he says of his kitchen."""

import hashlib
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request

from api import auth, kitchen_changing, kitchen_verification, pictures
from api.dependencies import Services, ServicesDep
from api.driver_profiles import Day
from api.errors import conflict, invalid, not_found, problems, unauthorised
from api.kitchen_changes import kitchen_change
from api.kitchen_lookup import chef_of, kitchen_of, locked, profile_of
from api.kitchens import (
    ApplicationBody,
    AppliedOut,
    AvailabilityBody,
    AvailabilityOut,
    ChefDocumentOut,
    KitchenBody,
    KitchenProfileOut,
    document,
)
from api.limits import whole_body
from api.permits import MayApplyAsChef, MayReadKitchen, MayWriteKitchen
from domain import kitchens as rules
from domain.files import PDF, document_type
from domain.kitchens import ChefDocumentType
from domain.verification import has_expired
from schema.queries import chef_documents, chef_profiles, order_views, people
from schema.tables import Chef, ChefDocument, Role

router = APIRouter(prefix="/chef", tags=["Chef"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CHANGES = _LOOKING | problems(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
_SENDING = _CHANGES | problems(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)
_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": pictures.CONTENT
        | {PDF.media_type: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/apply",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def apply(held: ServicesDep, who: MayApplyAsChef, body: ApplicationBody) -> AppliedOut:
    """Ask to sell from a kitchen. The account is a chef's from now on and orders no food; go on
    with the token of the answer. An admin lets the kitchen in when all documents are there.
    """
    market = kitchen_changing.market(held.settings, body)
    place = await kitchen_changing.place(held, body)
    said = body.model_dump(exclude={"market", "latitude", "longitude"})
    async with held.database.write() as session:
        login = await people.locked_login(session, who.user_id)
        if login is None or login.role not in {Role.CUSTOMER, Role.CHEF}:
            raise unauthorised("the account is gone")
        if login.role is Role.CUSTOMER and await order_views.has_open(session, who.user_id):
            raise conflict("orders_open", "an order of yours is not over yet")
        is_new = await chef_profiles.apply(
            session,
            Chef(
                user_id=who.user_id,
                market=market,
                latitude=place.latitude,
                longitude=place.longitude,
                **said,
            ),
        )
        await people.become(session, who.user_id, Role.CHEF)
    out = await profile_of(held, await chef_of(held, who))
    if not is_new and (out.business_name, out.address) != (body.business_name, body.address):
        raise conflict("already_applied", "you have a kitchen already, of another name or place")
    return AppliedOut(
        access_token=auth.access_token(
            login._replace(role=Role.CHEF),
            held.settings,
            who.issued_at,
            logged_in_at=who.logged_in_at,
        ),
        expires_in=auth.seconds_left(who, held.settings),
        chef=out,
    )


@router.get("/profile", responses=_LOOKING)
async def get_profile(held: ServicesDep, who: MayReadKitchen) -> KitchenProfileOut:
    """See the caller's kitchen: how it stands, what has still to be shown, what customers see."""
    return await profile_of(held, await chef_of(held, who))


@router.put("/profile", responses=_CHANGES | problems(HTTPStatus.SERVICE_UNAVAILABLE))
async def change_profile(
    held: ServicesDep, who: MayWriteKitchen, body: KitchenBody
) -> KitchenProfileOut:
    """Change what is said of the kitchen. At another place it is closed until what has to be shown
    for it is approved.
    """
    chef_id = await chef_of(held, who)
    async with held.database.read() as session:
        known = await kitchen_of(session, chef_id)
    place = await kitchen_changing.new_place(held, known, body)
    async with kitchen_change(held, chef_id) as session:
        seen = await locked(session, chef_id)
        await kitchen_changing.change(session, seen, body, place, datetime.now(UTC))
    return await profile_of(held, chef_id)


@router.put("/availability", responses=_CHANGES)
async def set_availability(
    held: ServicesDep, who: MayWriteKitchen, body: AvailabilityBody
) -> AvailabilityOut:
    """Open the kitchen to new orders or close it, say whether its chef is there, how many orders it
    takes at once and how long it usually takes; orders that are there go on.

    A kitchen that is not approved, or whose chef cannot be paid, cannot be opened.
    """
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await kitchen_changing.open_or_close(session, await locked(session, chef_id), body)
        row = (await locked(session, chef_id)).chef
    return AvailabilityOut(**row.model_dump(include=set(AvailabilityOut.model_fields)))


@router.get("/documents", responses=_LOOKING)
async def list_documents(held: ServicesDep, who: MayReadKitchen) -> list[ChefDocumentOut]:
    """List what the caller has handed in, the latest first, each with a link to look at it."""
    chef_id = await chef_of(held, who)
    async with held.database.read() as session:
        rows = await chef_documents.of(session, chef_id)
    return [document(held.settings, row, datetime.now(UTC)) for row in rows]


async def _end(
    type: Annotated[ChefDocumentType, Query()],  # noqa: A002 - the parameter's name in the API
    expires_on: Annotated[
        Day | None, Query(alias="expiresOn", description="The last day on which it is good.")
    ] = None,
) -> date | None:
    if expires_on is None and rules.needs_end(type):
        raise invalid("expiresOn", "expiry_needed", "this document says until when it is good")
    if has_expired(expires_on, datetime.now(UTC).date()):
        raise invalid("expiresOn", "already_expired", "the document is good no more")
    return expires_on


@router.post("/documents", status_code=HTTPStatus.CREATED, openapi_extra=_FILES, responses=_SENDING)
async def hand_in_document(
    held: ServicesDep,
    who: MayWriteKitchen,
    type: Annotated[ChefDocumentType, Query()],  # noqa: A002
    expires_on: Annotated[date | None, Depends(_end)],
    request: Request,
) -> ChefDocumentOut:
    """Hand in a document, as the body itself (JPEG, PNG, WebP or PDF), in place of the one of its
    type that nobody has looked at yet. One that is approved counts until it expires.
    """
    chef_id = await chef_of(held, who)
    content = await whole_body(request, held.settings.document_max_bytes)
    kind = document_type(content)
    if kind is None:
        raise invalid("body", "not_a_document", "a document is a JPEG, PNG, WebP or PDF")
    digest = hashlib.sha256(content).hexdigest()
    row = ChefDocument(
        chef_id=chef_id,
        document_type=type,
        storage_key=f"{rules.documents_folder(chef_id)}/{digest}.{kind.suffix}",
        content_type=kind.media_type,
        bytes=len(content),
        digest=digest,
        expires_on=expires_on,
    )
    # First the file, then the row: whoever dies between them sends it again, and both are the same.
    async with held.database.read() as session:
        before = await kitchen_verification.known_or_possible(session, row)
    if before is not None:
        return document(held.settings, before, datetime.now(UTC))
    await held.storage.put(row.storage_key, content)
    async with held.database.write() as session:
        row = await kitchen_verification.hand_in(session, row, row.created_at)
    return document(held.settings, row, datetime.now(UTC))


@router.put("/profile/image", openapi_extra=pictures.REQUEST, responses=_SENDING)
async def set_image(held: ServicesDep, who: MayWriteKitchen, request: Request) -> KitchenProfileOut:
    """Show a picture of the chef or the kitchen, sent as the body itself (JPEG, PNG or WebP)."""
    return await _show(held, await chef_of(held, who), "profile_image_key", request)


@router.delete("/profile/image", responses=_LOOKING)
async def remove_image(held: ServicesDep, who: MayWriteKitchen) -> KitchenProfileOut:
    """Show no picture of the chef any more."""
    return await _show(held, await chef_of(held, who), "profile_image_key", None)


@router.put("/profile/banner", openapi_extra=pictures.REQUEST, responses=_SENDING)
async def set_banner(
    held: ServicesDep, who: MayWriteKitchen, request: Request
) -> KitchenProfileOut:
    """Show a wide picture above the kitchen's menus, sent as the body itself."""
    return await _show(held, await chef_of(held, who), "banner_image_key", request)


@router.delete("/profile/banner", responses=_LOOKING)
async def remove_banner(held: ServicesDep, who: MayWriteKitchen) -> KitchenProfileOut:
    """Show no banner any more."""
    return await _show(held, await chef_of(held, who), "banner_image_key", None)


@router.post(
    "/profile/kitchen-images",
    status_code=HTTPStatus.CREATED,
    openapi_extra=pictures.REQUEST,
    responses=_SENDING,
)
async def add_kitchen_image(
    held: ServicesDep, who: MayWriteKitchen, request: Request
) -> KitchenProfileOut:
    """Show one more picture of the kitchen, sent as the body itself; the same twice is one."""
    chef_id = await chef_of(held, who)
    key = await pictures.keep(held, request, chef_id)
    async with kitchen_change(held, chef_id) as session:
        keys = (await locked(session, chef_id)).chef.kitchen_image_keys
        if key not in keys:
            if len(keys) >= rules.MOST_PICTURES:
                raise conflict("too_many_pictures", f"there are {rules.MOST_PICTURES} already")
            await chef_profiles.change(session, chef_id, {"kitchen_image_keys": [*keys, key]})
    return await profile_of(held, chef_id)


@router.delete("/profile/kitchen-images/{name}", responses=_LOOKING)
async def remove_kitchen_image(
    held: ServicesDep,
    who: MayWriteKitchen,
    name: Annotated[
        str,
        Path(
            pattern=r"^[0-9a-f]{64}\.(jpg|png|webp)$", description="The last part of its address."
        ),
    ],
) -> KitchenProfileOut:
    """Show a picture of the kitchen no more."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        keys = (await locked(session, chef_id)).chef.kitchen_image_keys
        left = [key for key in keys if not key.endswith(f"/{name}")]
        if len(left) == len(keys):
            raise not_found("picture")
        await chef_profiles.change(session, chef_id, {"kitchen_image_keys": left})
    return await profile_of(held, chef_id)


async def _show(
    held: Services, chef_id: UUID, column: str, request: Request | None
) -> KitchenProfileOut:
    key = None if request is None else await pictures.keep(held, request, chef_id)
    async with kitchen_change(held, chef_id) as session:
        await chef_profiles.change(session, chef_id, {column: key})
    return await profile_of(held, chef_id)
