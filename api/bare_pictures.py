"""Pictures without what phones and programs write into them: where, when and with what they were
taken.
"""

import asyncio
import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image, ImageOps

from domain.photos import PhotoType

# Of what is not kept to the bit; out of 100.
_QUALITY = 85

# How the pixels are meant; whatever else there is about a picture goes.
_KEPT = ("icc_profile", "transparency")

# A JPEG may go over all of its pixels again and again, for a few bytes each time. Cameras and
# programs do it a dozen times; the same two bytes may be elsewhere in the file, too, by chance.
_SCAN, _MOST_SCANS = b"\xff\xda", 200

# Few, since each may hold a picture that is large once it is opened; and not those that all share,
# so that nobody waits for pictures to log in.
_HANDS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures")


class Unreadable(Exception):
    """It only begins as a picture does: it is broken, or not all of it is there."""


class TooManyPixels(Exception):
    """It is larger, once opened, than is worked on here."""


async def bare(content: bytes, kind: PhotoType, *, most_pixels: int) -> bytes:
    """A picture of the same kind, upright, that shows the same and says nothing else.

    The same bytes give the same bytes, as long as Pillow is the same. Of one that moves, the first
    frame. Raises Unreadable and TooManyPixels.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_HANDS, _drawn_anew, content, kind, most_pixels)


def _drawn_anew(content: bytes, kind: PhotoType, most_pixels: int) -> bytes:
    drawn = io.BytesIO()
    try:
        with _opened(content, kind, most_pixels) as picture:
            picture.load()
            # EXIF that cannot be read turns nothing.
            with contextlib.suppress(Exception):
                ImageOps.exif_transpose(picture, in_place=True)
            picture.info = {key: picture.info[key] for key in _KEPT if key in picture.info}
            colours = picture.info.get("icc_profile")
            picture.save(drawn, kind.name, quality=_QUALITY, icc_profile=colours)
    except (TooManyPixels, Image.DecompressionBombError) as error:
        raise TooManyPixels from error
    except Exception as error:  # broken bytes make decoders stumble in ways that nobody lists
        raise Unreadable from error
    return drawn.getvalue()


def _opened(content: bytes, kind: PhotoType, most_pixels: int) -> Image.Image:
    """The picture before its pixels are read."""
    if kind is PhotoType.JPEG and content.count(_SCAN) > _MOST_SCANS:
        raise Unreadable
    picture = Image.open(io.BytesIO(content), formats=[kind.name])
    if picture.width * picture.height > most_pixels:
        raise TooManyPixels
    return picture
