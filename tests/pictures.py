"""Real pictures, small ones: public ones are opened, so that it is not enough to begin as one."""

import io

from PIL import ExifTags, Image

from domain.photos import PhotoType

# What `telling` writes into pictures.
SECRET = b"A phone of Zoe"


def picture(kind: PhotoType = PhotoType.PNG, number: int = 0) -> bytes:
    """A picture of this kind, that shows something else for each number up to 255."""
    drawn = io.BytesIO()
    Image.new("RGB", (16, 8), (number, 90, 160)).save(drawn, kind.name)
    return drawn.getvalue()


def telling(kind: PhotoType) -> bytes:
    """A picture as a phone writes it: which phone it was and where, and that it was held upright,
    so that it is to be turned to the right: 40 by 20 pixels, the left end red, the right one blue.
    """
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = SECRET.decode()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (30.0, 16.0, 2.0),
        ExifTags.GPS.GPSLongitudeRef: "W",
        ExifTags.GPS.GPSLongitude: (97.0, 44.0, 35.0),
    }
    drawing = Image.new("RGB", (40, 20), "red")
    drawing.paste("blue", (20, 0, 40, 20))
    drawn = io.BytesIO()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    drawing.save(drawn, kind.name, exif=exif, xmp=xmp, comment=SECRET)
    return drawn.getvalue()


def opened(content: bytes) -> Image.Image:
    """A picture, to be looked into."""
    return Image.open(io.BytesIO(content))


def pixels(content: bytes) -> tuple[tuple[int, int], bytes]:
    """What is to be seen in a picture: its size and its pixels."""
    with opened(content) as found:
        return found.size, found.convert("RGBA").tobytes()


JPEG, PNG, WEBP = (picture(kind) for kind in PhotoType)
