"""Pictures that anybody may see say nothing about whoever took them."""

import io

import httpx
import pytest
from PIL import Image

from domain.order_status import OrderStatus
from domain.photos import PhotoType
from local.cast import Cast
from tests.api.delivered import delivered
from tests.api.handover import photo, photographs
from tests.api.kitchens import send_picture
from tests.pictures import PNG, SECRET, opened, picture, telling

AVATAR = "/users/me/avatar"


def bomb() -> bytes:
    """Some kilobytes that become 30 million pixels."""
    packed = io.BytesIO()
    Image.new("1", (6000, 5000)).save(packed, "PNG")
    return packed.getvalue()


async def looked_at(play: Cast, url: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        return await http.get(url)


@pytest.mark.parametrize("kind", PhotoType)
async def test_the_place_of_a_home_is_not_in_a_picture(play: Cast, kind: PhotoType) -> None:
    sent = telling(kind)

    url = (await send_picture(play, play.customer, "PUT", AVATAR, sent)).json()["avatarUrl"]

    seen = await looked_at(play, url)
    assert (seen.status_code, seen.headers["content-type"]) == (200, kind.value)
    assert SECRET not in seen.content
    with opened(seen.content) as shown:
        assert (shown.size, dict(shown.getexif())) == ((20, 40), {})
    again = (await send_picture(play, play.customer, "PUT", AVATAR, sent)).json()["avatarUrl"]
    assert again == url


async def test_no_other_public_picture_tells_more(play: Cast) -> None:
    sent = telling(PhotoType.JPEG)
    dish = f"/chef/menu/{play.world.dish_id}/image"

    urls = [
        (await send_picture(play, play.chef, method, path, sent)).json()[field]
        for method, path, field in (
            ("PUT", "/chef/profile/image", "profileImageUrl"),
            ("PUT", "/chef/profile/banner", "bannerImageUrl"),
            ("POST", "/chef/profile/kitchen-images", "kitchenImageUrls"),
            ("PUT", dish, "imageUrl"),
        )
    ]

    review = f"/orders/{await delivered(play)}/review"
    await play.customer.post(review, chef={"rating": 5})
    said = await play.customer.upload(f"{review}/photos", sent, "image/jpeg")
    urls.append(said["chef"]["photos"])

    for url in urls:
        seen = await looked_at(play, url[0] if isinstance(url, list) else url)
        assert seen.status_code == 200
        assert SECRET not in seen.content


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (bomb(), "picture_too_large"),
        (telling(PhotoType.JPEG)[:-200], "not_a_photo"),
        (PNG[:30], "not_a_photo"),
        (picture(PhotoType.WEBP)[:20], "not_a_photo"),
    ],
    ids=["bomb", "jpeg", "png", "webp"],
)
async def test_what_cannot_be_opened_is_refused_and_nothing_changes(
    play: Cast, sent: bytes, code: str
) -> None:
    before = (await send_picture(play, play.customer, "PUT", AVATAR)).json()

    refused = await send_picture(play, play.customer, "PUT", AVATAR, sent)

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert await play.customer.get("/users/me") == before
    assert (await looked_at(play, before["avatarUrl"])).status_code == 200


async def test_a_photo_at_the_door_is_evidence_and_stays_as_it_is(play: Cast) -> None:
    order = await play.bring(OrderStatus.IN_TRANSIT, deliveryProof="photo")
    sent = telling(PhotoType.JPEG)

    await photographs(play, order, sent)

    assert (await photo(play, order, play.customer)).content == sent
