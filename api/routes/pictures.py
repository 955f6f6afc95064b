"""Pictures that anybody may see."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from api import pictures
from api.dependencies import ServicesDep
from api.errors import not_found, problems
from api.permits import Anyone
from domain.photos import PhotoType
from providers.storage import NotKept

router = APIRouter(prefix="/pictures", tags=["Pictures"], dependencies=[Anyone])

_KINDS = {kind.suffix: kind for kind in PhotoType}


@router.get(
    "/{owner_id}/{name}",
    response_class=Response,
    responses={
        HTTPStatus.OK.value: {"description": "The picture", "content": pictures.CONTENT},
        **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def look_at(
    held: ServicesDep,
    owner_id: UUID,
    name: Annotated[str, Path(pattern=r"^[0-9a-f]{64}\.(jpg|png|webp)$")],
) -> Response:
    """Look at a picture. Its address changes with its bytes, so that it may be kept for ever."""
    try:
        content = await held.storage.get(f"{pictures.FOLDER}/{owner_id}/{name}")
    except NotKept as missing:
        raise not_found("picture") from missing
    return Response(
        content,
        media_type=_KINDS[name.rsplit(".", 1)[1]],
        headers={"Cache-Control": "public, max-age=31536000, immutable", **pictures.HARMLESS},
    )
