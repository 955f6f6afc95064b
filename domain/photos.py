"""Which pictures are taken as photos, told by how their bytes begin: a header may say anything."""

from enum import StrEnum

# Where the storage has pictures that anybody may see; under it, the folder of whoever owns them.
PUBLIC_FOLDER = "public"


class PhotoType(StrEnum):
    """A kind of picture, by its media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"

    @property
    def suffix(self) -> str:
        """How the name of such a file ends."""
        return "jpg" if self is PhotoType.JPEG else self.value.removeprefix("image/")


def photo_type(content: bytes) -> PhotoType | None:
    """What kind of picture it is; None for whatever is none that we take."""
    if content.startswith(b"\xff\xd8\xff"):
        return PhotoType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoType.PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return PhotoType.WEBP
    return None
