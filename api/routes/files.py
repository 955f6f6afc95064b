"""Private files, for whoever was given a link."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from api import pictures, private_files
from api.dependencies import ServicesDep
from api.errors import not_found, problems
from api.permits import Anyone
from domain.files import PDF
from providers.storage import NotKept

router = APIRouter(prefix="/files", tags=["Files"], dependencies=[Anyone])

_CONTENT = pictures.CONTENT | {
    PDF.media_type: {"schema": {"type": "string", "format": "binary"}},
}


@router.get(
    "/{token}",
    response_class=Response,
    responses={
        HTTPStatus.OK.value: {"description": "The file", "content": _CONTENT},
        **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def look_at(
    held: ServicesDep, token: Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,1000}$")]
) -> Response:
    """Look at a private file by the link that an answer named, as long as that is good."""
    file = private_files.linked(held.settings, token, datetime.now(UTC))
    try:
        content = await held.storage.get(file.key)
    except NotKept as missing:
        raise not_found("file") from missing
    # In a sandbox a browser shows pictures; its reader of PDF does not run there.
    shown = "attachment" if file.content_type == PDF.media_type else "inline"
    return Response(
        content,
        media_type=file.content_type,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": shown,
            # The address is the key to it: it goes nowhere else.
            "Referrer-Policy": "no-referrer",
            **pictures.HARMLESS,
        },
    )
