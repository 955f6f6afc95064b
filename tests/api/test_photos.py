"""Photos of orders at the door: sent by whoever has the order, kept, shown to its customer."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast, Order
from schema import tables as table
from tests.api.handover import delivers, photo, photographs, refusal
from tests.api.test_process import facade
from tests.pictures import JPEG, PNG, WEBP

S = OrderStatus


async def hand_over(play: Cast, order: Order, driver_id: UUID) -> None:
    """Another driver has the order now."""
    async with play.database.write() as session:
        await session.execute(
            update(table.Order)
            .where(col(table.Order.id) == UUID(order["id"]))
            .values(driver_id=driver_id)
        )


async def test_an_order_is_delivered_by_a_photo(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    assert (order["deliveryProof"], order["deliveryCode"]) == ("photo", None)
    refused = await refusal(delivers(play, order))
    assert (refused.code, refused.problem["required"]) == ("proof_required", "photo")

    sent = await photographs(play, order, latitude=1.5, longitude=2.5)

    assert sent["digest"] == hashlib.sha256(JPEG).hexdigest()
    assert (sent["bytes"], sent["contentType"]) == (len(JPEG), "image/jpeg")
    assert (sent["latitude"], sent["longitude"]) == (1.5, 2.5)
    assert (await delivers(play, order, note="on the mat"))["status"] == S.DELIVERED
    for person in (play.customer, play.admin):
        shown = await photo(play, order, person)
        assert shown.content == JPEG
        assert shown.headers["content-type"] == "image/jpeg"
        assert shown.headers["cache-control"] == "private"
        assert shown.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "kind"), [(PNG, "image/png"), (WEBP, "image/webp")], ids=["png", "webp"]
)
async def test_a_picture_is_what_its_bytes_say(play: Cast, content: bytes, kind: str) -> None:
    order = await play.bring(S.PICKED_UP, deliveryProof="photo")

    assert (await photographs(play, order, content))["contentType"] == kind
    assert (await photo(play, order, play.customer)).headers["content-type"] == kind


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><script>alert(1)</script></html>", b"GIF89a" + bytes(100), b'{"status": 1}'],
    ids=["nothing", "html", "gif", "json"],
)
async def test_what_is_no_photo_is_refused_whatever_it_calls_itself(
    play: Cast, content: bytes
) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")

    refused = await refusal(photographs(play, order, content))

    assert (refused.status, refused.code) == (422, "not_a_photo")
    assert (await photo(play, order, play.customer)).status_code == 404
    assert (await refusal(delivers(play, order))).code == "proof_required"


@pytest.mark.parametrize(
    "place", [{"latitude": 1.0}, {"longitude": 1.0}, {"latitude": 91.0, "longitude": 1.0}]
)
async def test_a_place_that_is_none_is_refused(play: Cast, place: dict[str, float]) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")

    assert (await refusal(photographs(play, order, **place))).status == 422


MOST = 5 * 1024 * 1024


async def test_the_largest_photo_is_taken_and_a_larger_one_is_not(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")

    refused = await refusal(photographs(play, order, JPEG + bytes(MOST - len(JPEG) + 1)))
    assert (refused.status, refused.code) == (413, "body_too_large")
    assert str(MOST) in refused.problem["detail"]

    assert (await photographs(play, order, JPEG + bytes(MOST - len(JPEG))))["bytes"] == MOST


@pytest.mark.parametrize("announced", [True, False])
async def test_a_photo_without_end_is_not_read_to_its_end(
    play: Cast, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    read, piece = 0, 64 * 1024

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 10 * MOST:
            read += piece
            yield bytes(piece)

    length = {"Content-Length": f"{10 * MOST}"} if announced else {}
    async with facade(play.environment, monkeypatch) as (_, http):
        answer = await http.post(
            f"/api/v1/delivery/orders/{order['id']}/proof",
            content=pieces(),
            headers={"Authorization": play.drivers[0].authorization, **length},
        )

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert read <= (0 if announced else MOST + piece)


async def test_a_stranger_cannot_make_the_facade_read_a_photo(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    large = JPEG + bytes(1024 * 1024)

    assert (await refusal(photographs(play, order, large, number=1))).status == 404
    async with httpx.AsyncClient(base_url=f"{play.environment['API_URL']}/api/v1") as http:
        answer = await http.post(f"/delivery/orders/{order['id']}/proof", content=large)
    assert answer.status_code == 401


@pytest.mark.parametrize("at", [S.ASSIGNED_TO_DRIVER, S.DELIVERED])
async def test_a_photo_is_taken_between_pickup_and_delivery(play: Cast, at: S) -> None:
    order = await play.bring(at)

    assert (await refusal(photographs(play, order))).code == "not_on_the_way"


async def test_the_same_photo_again_is_the_same_and_the_newest_counts(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP, deliveryProof="photo")
    first = await photographs(play, order)
    assert await photographs(play, order) == first

    await photographs(play, order, PNG)

    assert (await photo(play, order, play.customer)).content == PNG
    # The first one's answer was lost on the way: a late repeat does not bring it back.
    assert await photographs(play, order) == first
    assert (await photo(play, order, play.customer)).content == PNG
    await play.driver_says(0, order, "in_transit")
    await delivers(play, order)
    assert await photographs(play, order) == first


async def test_the_same_photo_sent_many_times_at_once_is_one(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP, deliveryProof="photo")

    answers = await asyncio.gather(*(photographs(play, order) for _ in range(8)))

    assert all(answer == answers[0] for answer in answers)


async def test_photos_come_to_an_end(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP, deliveryProof="photo")
    for number in range(10):
        await photographs(play, order, JPEG + bytes([number]))

    assert (await refusal(photographs(play, order, PNG))).code == "too_many_photos"


async def test_a_photo_of_a_driver_who_has_not_the_order_any_more_proves_nothing(
    play: Cast,
) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    await photographs(play, order)
    first, second = play.world.drivers
    await hand_over(play, order, second.id)

    assert (await refusal(photographs(play, order, PNG))).status == 404
    assert (await photo(play, order, play.customer)).status_code == 404
    assert (await refusal(delivers(play, order, number=1))).code == "proof_required"
    await hand_over(play, order, first.id)
    assert (await delivers(play, order))["status"] == S.DELIVERED


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_photo_that_was_stored_before_the_process_died_is_sent_again(
    play: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    digest = hashlib.sha256(JPEG).hexdigest()
    left_behind = tmp_path / f"proofs/{order['id']}/{digest}.jpg"
    left_behind.parent.mkdir(parents=True)
    left_behind.write_bytes(JPEG)
    async with facade(play.environment, monkeypatch, STORAGE_URL=tmp_path.as_uri()) as (_, http):
        answer = await http.post(
            f"/api/v1/delivery/orders/{order['id']}/proof",
            content=JPEG,
            headers={"Authorization": play.drivers[0].authorization},
        )

    assert answer.json()["digest"] == digest
    assert files(tmp_path) == [left_behind]
    assert (await delivers(play, order))["status"] == S.DELIVERED


async def test_while_the_storage_is_away_nothing_is_believed_and_afterwards_it_works(
    play: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    folder = tmp_path / "folder"
    folder.write_text("in the way")
    path = f"/api/v1/delivery/orders/{order['id']}/proof"
    driver = {"Authorization": play.drivers[0].authorization}
    customer = {"Authorization": play.customer.authorization}
    async with facade(play.environment, monkeypatch, STORAGE_URL=folder.as_uri()) as (_, http):
        answer = await http.post(path, content=JPEG, headers=driver)
        assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
        assert answer.headers["retry-after"]
        assert (await refusal(delivers(play, order))).code == "proof_required"

        folder.unlink()
        assert (await http.post(path, content=JPEG, headers=driver)).status_code == 200
        photo_path = f"/api/v1/orders/{order['id']}/proof"
        assert (await http.get(photo_path, headers=customer)).content == JPEG
        files(folder)[0].unlink()
        assert (await http.get(photo_path, headers=customer)).status_code == 503
