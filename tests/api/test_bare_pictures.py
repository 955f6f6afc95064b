"""Pictures are shown as they were meant, and say nothing about who took them."""

import asyncio
import io
import struct
import zlib

import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from api.bare_pictures import TooManyPixels, Unreadable, bare
from domain.photos import PhotoType, photo_type
from tests.pictures import SECRET, opened, picture, pixels, telling

MOST = 1_000_000
JPEG, PNG, WEBP = PhotoType


async def drawn(content: bytes, kind: PhotoType) -> bytes:
    return await bare(content, kind, most_pixels=MOST)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def colour(image: Image.Image, x: int, y: int) -> str:
    """What is seen there; what is not kept to the bit is a little beside it."""
    red, _, blue = image.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes()
    return "red" if red > blue + 200 else "blue" if blue > red + 200 else "neither"


@pytest.mark.parametrize("kind", PhotoType)
async def test_a_picture_is_upright_and_tells_nothing(kind: PhotoType) -> None:
    sent = telling(kind)
    assert SECRET in sent
    with opened(sent) as before:
        assert before.getexif().get_ifd(ExifTags.IFD.GPSInfo)

    content = await drawn(sent, kind)

    assert photo_type(content) is kind
    assert SECRET not in content
    with opened(content) as after:
        assert not after.getexif()
        assert not {"exif", "xmp", "comment", "Comment"} & after.info.keys()
        # It was lying, its red end to the left: turned to the right, that is at the top.
        assert after.size == (20, 40)
        assert (colour(after, 10, 3), colour(after, 10, 36)) == ("red", "blue")


@pytest.mark.parametrize("kind", PhotoType)
async def test_the_same_bytes_give_the_same_bytes_whatever_was_written_into_them(
    kind: PhotoType,
) -> None:
    sent = telling(kind)

    at_once = await asyncio.gather(*(drawn(sent, kind) for _ in range(5)))

    assert len(set(at_once)) == 1
    assert await drawn(picture(kind), kind) == await drawn(picture(kind) + SECRET, kind)


async def test_texts_of_a_png_are_gone_but_not_its_pixels() -> None:
    texts = PngInfo()
    texts.add_text("Comment", "where I live")
    texts.add_itxt("XML:com.adobe.xmp", "<x>where I live</x>")
    sent = io.BytesIO()
    Image.effect_noise((30, 20), 90).save(sent, "PNG", pnginfo=texts, dpi=(300, 300))

    content = await drawn(sent.getvalue(), PNG)

    assert pixels(content) == pixels(sent.getvalue())
    with opened(content) as after:
        assert after.info == {}


async def test_what_is_transparent_stays_so() -> None:
    sent = io.BytesIO()
    Image.new("P", (4, 4), 7).save(sent, "PNG", transparency=7)

    assert pixels(await drawn(sent.getvalue(), PNG)) == pixels(sent.getvalue())


@pytest.mark.parametrize("kind", PhotoType)
async def test_colours_are_meant_as_they_were(kind: PhotoType) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sent = io.BytesIO()
    Image.new("RGB", (4, 4)).save(sent, kind.name, icc_profile=profile)

    with opened(await drawn(sent.getvalue(), kind)) as after:
        assert after.info["icc_profile"] == profile


async def test_exif_that_cannot_be_read_does_no_harm() -> None:
    sent = io.BytesIO()
    Image.new("RGB", (4, 4)).save(sent, "JPEG", exif=b"Exif\x00\x00 nothing of the kind")

    with opened(await drawn(sent.getvalue(), JPEG)) as after:
        assert "exif" not in after.info


async def test_of_several_pictures_in_one_the_first_is_shown() -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    for kind, written in ((JPEG, "MPO"), (PNG, "PNG"), (WEBP, "WEBP")):
        sent = io.BytesIO()
        first.save(sent, written, save_all=True, append_images=[second])

        content = await drawn(sent.getvalue(), kind)

        with opened(content) as after:
            assert (after.format, getattr(after, "n_frames", 1)) == (kind.name, 1)
            assert colour(after, 4, 4) == "red"


@pytest.mark.parametrize("kind", PhotoType)
async def test_what_is_not_whole_is_no_picture(kind: PhotoType) -> None:
    sent = telling(kind)

    for length in (12, len(sent) // 2, len(sent) - 30):
        with pytest.raises(Unreadable):
            await drawn(sent[:length], kind)
    with pytest.raises(Unreadable):
        await drawn(sent[:12] + bytes(500), kind)


@pytest.mark.parametrize("kind", PhotoType)
async def test_what_calls_itself_something_else_is_no_picture(kind: PhotoType) -> None:
    other = next(another for another in PhotoType if another is not kind)

    with pytest.raises(Unreadable):
        await drawn(picture(other), kind)


@pytest.mark.parametrize("kind", PhotoType)
async def test_a_picture_has_so_many_pixels_and_no_more(kind: PhotoType) -> None:
    most, more = io.BytesIO(), io.BytesIO()
    Image.new("L", (1000, 1000)).save(most, kind.name)
    Image.new("L", (1001, 1000)).save(more, kind.name)

    assert await drawn(most.getvalue(), kind)
    with pytest.raises(TooManyPixels):
        await drawn(more.getvalue(), kind)


async def test_a_bomb_is_not_opened() -> None:
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(9**6)))

    with pytest.raises(TooManyPixels):
        await drawn(bomb, PNG)


async def test_a_picture_is_not_drawn_over_and_over() -> None:
    sent = io.BytesIO()
    Image.new("L", (1000, 1000)).save(sent, "JPEG", progressive=True)
    begun, scan = sent.getvalue()[:-2], sent.getvalue().rindex(b"\xff\xda")

    assert await drawn(begun + begun[scan:] * 10 + b"\xff\xd9", JPEG)
    with pytest.raises(Unreadable):
        await drawn(begun + begun[scan:] * 1000 + b"\xff\xd9", JPEG)
