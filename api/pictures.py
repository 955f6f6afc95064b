"""Pictures that anybody may see: of people, kitchens and dishes. What is private is elsewhere."""

import hashlib
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import Request

from api.bare_pictures import TooManyPixels, Unreadable, bare
from api.dependencies import Services
from api.errors import invalid
from api.limits import whole_body
from domain.photos import PUBLIC_FOLDER, PhotoType, photo_type

# Under it, the folder of whoever owns them.
FOLDER = PUBLIC_FOLDER

# For the OpenAPI document: pictures as bodies, and of a request that is one.
CONTENT = {kind.value: {"schema": {"type": "string", "format": "binary"}} for kind in PhotoType}
REQUEST: dict[str, Any] = {"requestBody": {"required": True, "content": CONTENT}}

# Somebody else's bytes: a browser shows them as a picture or not at all.
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class Picture(NamedTuple):
    """A picture: its bytes, their SHA-256 in hex, and what kind it is."""

    content: bytes
    digest: str
    kind: PhotoType

    @property
    def name(self) -> str:
        """What its file is called: the same bytes, the same name."""
        return f"{self.digest}.{self.kind.suffix}"


async def read(request: Request, most: int) -> Picture:
    """The picture that a request brings as its body, of at most so many bytes, as it was sent.

    Raises BodyTooLarge, and Problem (not_a_photo) for anything else.
    """
    content = await whole_body(request, most)
    kind = photo_type(content)
    if kind is None:
        raise invalid("body", "not_a_photo", "a photo is a JPEG, PNG or WebP")
    return _named(content, kind)


def _named(content: bytes, kind: PhotoType) -> Picture:
    return Picture(content, hashlib.sha256(content).hexdigest(), kind)


async def keep(held: Services, request: Request, owner_id: UUID) -> str:
    """Keep the picture that a request brings as one of its owner's; answers with its key.

    Anybody may see it, so it is kept without what a phone writes into it, such as the place of
    somebody's home. First the file, then the row that names it: a file that nobody names is seen by
    nobody. Raises as `read` does, Problem (picture_too_large), and StorageAway.
    """
    sent = await read(request, held.settings.picture_max_bytes)
    picture = await _for_everybody(sent, held.settings.picture_max_pixels)
    key = f"{FOLDER}/{owner_id}/{picture.name}"
    await held.storage.put(key, picture.content)
    return key


async def _for_everybody(sent: Picture, most_pixels: int) -> Picture:
    try:
        return _named(await bare(sent.content, sent.kind, most_pixels=most_pixels), sent.kind)
    except TooManyPixels as large:
        raise invalid(
            "body", "picture_too_large", f"a picture has {most_pixels} pixels at most"
        ) from large
    except Unreadable as broken:
        detail = "the picture cannot be read: it is broken, or not all of it is there"
        raise invalid("body", "not_a_photo", detail) from broken


def url(key: str | None) -> str | None:
    """Where on this host a picture is to be seen."""
    return None if key is None else f"/api/v1/pictures/{key.removeprefix(f'{FOLDER}/')}"
