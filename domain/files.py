"""Which files are taken as documents, told by how they begin: a header may say anything."""

from typing import NamedTuple

from domain.photos import photo_type


class FileType(NamedTuple):
    """A kind of file: its media type, and how its name ends."""

    media_type: str
    suffix: str


PDF = FileType("application/pdf", "pdf")


def document_type(content: bytes) -> FileType | None:
    """What kind of document it is, a photo or a PDF; None for whatever we do not take."""
    if content.startswith(b"%PDF-"):
        return PDF
    photo = photo_type(content)
    return None if photo is None else FileType(photo.value, photo.suffix)
