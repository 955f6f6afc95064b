"""Reviews: once per order and reviewee, changed for a day, answered, reported, moderated."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Person, Unanswered
from schema.tables import AdminAction, Chef, Driver, Review
from schema.tables.columns import now
from tests.api.delivered import delivered, set_order
from tests.api.handover import refusal
from tests.pictures import JPEG, PNG, picture, pixels

Answer = dict[str, Any]


async def review(play: Cast, order_id: str, **said: object) -> Answer:
    """The customer reviews an order: five stars for the chef, unless he says."""
    answer: Answer = await play.customer.post(
        f"/orders/{order_id}/review", **(said or {"chef": {"rating": 5}})
    )
    return answer


async def chef_rating(play: Cast) -> tuple[int, int, float]:
    async with play.database.read() as session:
        chef = await session.get_one(Chef, play.world.chef.id)
    return chef.rating_sum, chef.rating_count, chef.rating


async def driver_rating(play: Cast) -> tuple[int, int, float]:
    async with play.database.read() as session:
        driver = await session.get_one(Driver, play.world.drivers[0].id)
    return driver.rating_sum, driver.rating_count, driver.rating


async def shown(play: Cast) -> list[Answer]:
    """What anybody sees, without an account."""
    async with httpx.AsyncClient(base_url=f"{play.environment['API_URL']}/api/v1") as http:
        answer = await http.get(f"/chefs/{play.world.chef.id}/reviews")
    found: list[Answer] = answer.json()["data"]
    return found


async def age(play: Cast, order_id: str, **by: float) -> None:
    """Have the reviews of an order be older than they are."""
    async with play.database.write() as session:
        await session.execute(
            update(Review)
            .where(col(Review.order_id) == UUID(order_id))
            .values(created_at=now() - timedelta(**by))
        )


async def test_a_delivered_order_is_reviewed_for_chef_and_driver(play: Cast) -> None:
    order = await play.bring(OrderStatus.DELIVERED)

    said = await review(
        play, order["id"], chef={"rating": 5, "comment": "Crisp."}, driver={"rating": 3}
    )

    assert (said["chef"]["rating"], said["chef"]["comment"]) == (5, "Crisp.")
    assert (said["chef"]["orderNumber"], said["chef"]["status"]) == (
        order["orderNumber"],
        "visible",
    )
    assert (said["driver"]["rating"], said["driver"]["comment"]) == (3, None)
    assert await chef_rating(play) == (5, 1, 5.0)
    assert await driver_rating(play) == (3, 1, 3.0)
    public = (await shown(play))[0]
    assert (public["rating"], public["reviewerName"]) == (5, "Customer")
    assert "orderId" not in public
    assert "Test" not in str(public)


async def test_an_order_that_is_not_there_yet_or_long_ago_is_not_reviewed(play: Cast) -> None:
    pending = await play.place()
    told = await refusal(review(play, pending["id"]))
    assert (told.status, told.code) == (409, "not_delivered")

    order_id = await delivered(play)
    await set_order(play, order_id, delivered_at=now() - timedelta(days=30, minutes=1))
    told = await refusal(review(play, order_id))
    assert (told.status, told.code) == (409, "review_too_late")
    assert await chef_rating(play) == (0, 0, 4.0)


@pytest.mark.parametrize(
    "said",
    [
        {"chef": {"rating": 0}},
        {"chef": {"rating": 6}},
        {"chef": {"rating": 4.5}},
        {"chef": {"rating": 5, "comment": "\x00"}},
        {"chef": {"rating": 5, "comment": "x" * 501}},
        {"chef": None},
        {"kitchen": {"rating": 5}},
    ],
    ids=range(7),
)
async def test_what_is_no_review_is_refused(play: Cast, said: Answer) -> None:
    order_id = await delivered(play)

    told = await refusal(review(play, order_id, **said))

    assert (told.status, told.code) == (422, "invalid_request")
    assert await chef_rating(play) == (0, 0, 4.0)


async def test_a_review_counts_once_however_often_it_is_sent(play: Cast) -> None:
    order_id = await delivered(play)
    said: Answer = {"chef": {"rating": 4, "comment": "Good."}, "driver": {"rating": 5}}

    answers = await asyncio.gather(*(review(play, order_id, **said) for _ in range(6)))
    again = await review(play, order_id, driver={"rating": 5})

    assert all(answer == again for answer in answers)
    assert (await chef_rating(play), await driver_rating(play)) == ((4, 1, 4.0), (5, 1, 5.0))
    told = await refusal(review(play, order_id, chef={"rating": 1}))
    assert (told.status, told.code) == (409, "already_reviewed")
    assert await chef_rating(play) == (4, 1, 4.0)


async def test_of_two_other_reviews_at_once_one_is_there(play: Cast) -> None:
    order_id = await delivered(play)

    answers = await asyncio.gather(
        *(review(play, order_id, chef={"rating": stars}) for stars in (1, 2, 3, 4, 5)),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, Unanswered)]
    kept = next(answer["chef"]["rating"] for answer in answers if isinstance(answer, dict))
    assert {told.code for told in refused} == {"already_reviewed"}
    assert (len(refused), await chef_rating(play)) == (4, (kept, 1, float(kept)))


async def test_a_review_is_changed_for_a_day(play: Cast) -> None:
    order_id = await delivered(play)
    await review(play, order_id, chef={"rating": 2, "comment": "Cold."}, driver={"rating": 5})

    path = f"/orders/{order_id}/review"
    said = await play.customer.put(path, chef={"rating": 4, "comment": "Not so cold."})

    assert (said["chef"]["rating"], said["driver"]["rating"]) == (4, 5)
    assert said["chef"]["editedAt"] is not None
    assert await chef_rating(play) == (4, 1, 4.0)
    await age(play, order_id, days=1, minutes=1)
    told = await refusal(play.customer.put(path, chef={"rating": 1}))
    assert (told.status, told.code) == (409, "review_locked")
    assert await chef_rating(play) == (4, 1, 4.0)


async def test_what_was_not_reviewed_cannot_be_changed(play: Cast) -> None:
    order_id = await delivered(play)
    await review(play, order_id)

    told = await refusal(play.customer.put(f"/orders/{order_id}/review", driver={"rating": 1}))

    assert told.status == 404
    assert await driver_rating(play) == (0, 0, 4.5)


async def test_photos_are_seen_by_everybody_five_at_most_and_each_once(play: Cast) -> None:
    order_id = await delivered(play)
    path = f"/orders/{order_id}/review/photos"
    assert (await refusal(play.customer.upload(path, JPEG, "image/jpeg"))).status == 404
    await review(play, order_id)
    assert (await refusal(play.customer.upload(path, b"words", "image/png"))).code == "not_a_photo"
    pictures = [picture(number=number) for number in range(5)]

    await asyncio.gather(*(play.customer.upload(path, p, "image/png") for p in pictures))
    said = await play.customer.upload(path, pictures[4], "image/png")

    assert len(said["chef"]["photos"]) == 5
    told = await refusal(play.customer.upload(path, JPEG, "image/jpeg"))
    assert (told.status, told.code) == (409, "too_many_photos")
    public = (await shown(play))[0]["photos"]
    assert public == said["chef"]["photos"]
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        seen = [pixels((await http.get(url)).content) for url in public]
    assert sorted(seen) == sorted(pixels(sent) for sent in pictures)
    await age(play, order_id, days=2)
    assert (await refusal(play.customer.upload(path, PNG, "image/png"))).code == "review_locked"


async def test_a_chef_answers_and_answers_otherwise(play: Cast) -> None:
    order_id = await delivered(play)
    said = (await review(play, order_id))["chef"]
    path = f"/chef/reviews/{said['id']}/reply"

    await play.chef.post(path, reply="Thank you!")
    answered = await play.chef.post(path, reply="Come again!")

    assert (answered["reply"], answered["orderNumber"]) == ("Come again!", said["orderNumber"])
    assert (await shown(play))[0]["reply"] == "Come again!"
    listed = await play.chef.get("/chef/reviews")
    assert [listed["data"][0]["id"], listed["total"]] == [said["id"], 1]


async def test_words_with_a_telephone_number_are_looked_at_first(play: Cast) -> None:
    order_id = await delivered(play)
    said = await review(play, order_id, chef={"rating": 5, "comment": "Call me: 512-555-0123"})

    assert said["chef"]["status"] == "pending"
    assert await shown(play) == []
    assert await chef_rating(play) == (0, 0, 4.0)
    review_id = said["chef"]["id"]
    queue = await play.admin.get("/admin/reviews", limit=100)
    assert review_id in [row["id"] for row in queue["data"]]
    assert (await play.customer.get("/reviews"))["data"][0]["status"] == "pending"

    await moderate(play, review_id, "visible")

    assert [row["id"] for row in await shown(play)] == [review_id]
    assert await chef_rating(play) == (5, 1, 5.0)


async def moderate(play: Cast, review_id: str, status: str) -> Answer:
    answer: Answer = await play.admin.put(
        f"/admin/reviews/{review_id}", status=status, reason="We have looked at it."
    )
    return answer


async def test_a_hidden_review_is_not_seen_does_not_count_and_stays_hidden(play: Cast) -> None:
    order_id = await delivered(play)
    said = await review(play, order_id, chef={"rating": 1}, driver={"rating": 2})
    review_id = said["chef"]["id"]

    hidden, again = await asyncio.gather(*(moderate(play, review_id, "hidden") for _ in range(2)))
    await play.customer.put(f"/orders/{order_id}/review", chef={"rating": 3})
    await moderate(play, said["driver"]["id"], "hidden")

    assert hidden["status"] == again["status"] == "hidden"
    assert await shown(play) == []
    assert (await chef_rating(play), await driver_rating(play)) == ((0, 0, 0.0), (0, 0, 0.0))
    assert (
        await refusal(play.chef.post(f"/chef/reviews/{review_id}/reply", reply="?"))
    ).status == 404
    assert await audited(play, review_id) == ["review_hidden"]
    await moderate(play, review_id, "visible")
    assert await chef_rating(play) == (3, 1, 3.0)
    assert await audited(play, review_id) == ["review_hidden", "review_visible"]


async def audited(play: Cast, review_id: str) -> list[str]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(col(AdminAction.action_type))
            .where(col(AdminAction.target_id) == UUID(review_id))
            .order_by(col(AdminAction.created_at))
        )
        return list(found)


async def test_a_report_comes_before_a_moderator_once_for_each_who_asks(play: Cast) -> None:
    order_id = await delivered(play)
    review_id = (await review(play, order_id))["chef"]["id"]
    path = f"/reviews/{review_id}/report"
    people: list[Person] = [play.chef, play.drivers[0], play.chef, play.chef]

    await asyncio.gather(*(person.post(path, reason="Not of us.") for person in people))

    queue = await play.admin.get("/admin/reviews", limit=100)
    row = next(row for row in queue["data"] if row["id"] == review_id)
    assert len(row["reports"]) == 2
    assert row["reports"][0]["reason"] == "Not of us."
    kept = await moderate(play, review_id, "visible")
    assert all(report["handledAt"] for report in kept["reports"])
    queue = await play.admin.get("/admin/reviews", limit=100)
    assert review_id not in [row["id"] for row in queue["data"]]
    assert await chef_rating(play) == (5, 1, 5.0)
    everything = await play.admin.get("/admin/reviews", status="visible", limit=100)
    assert review_id in [row["id"] for row in everything["data"]]


async def test_what_nobody_knows_cannot_be_reported_answered_or_moderated(play: Cast) -> None:
    nobody = uuid4()
    for asked in (
        play.customer.post(f"/reviews/{nobody}/report", reason="?"),
        play.chef.post(f"/chef/reviews/{nobody}/reply", reply="?"),
        play.admin.put(f"/admin/reviews/{nobody}", status="hidden", reason="?"),
        play.customer.get(f"/chefs/{nobody}/reviews"),
    ):
        assert (await refusal(asked)).status == 404


async def test_reviews_come_in_pages(play: Cast) -> None:
    for _ in range(3):
        await review(play, await delivered(play))

    first = await play.customer.get("/reviews", limit=2)
    second = await play.customer.get("/reviews", limit=2, page=2)

    assert (first["total"], len(first["data"]), len(second["data"])) == (3, 2, 1)
    async with play.database.read() as session:
        written = await session.scalar(
            select(func.count())
            .select_from(Review)
            .where(col(Review.reviewee_id) == play.world.chef.id)
        )
    assert written == 3
