"""Ratings that are kept as reviews come and go equal a recount, whatever happens, and at once."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from domain.reviews import Reviewee, ReviewStatus
from local.cast import Cast
from local.people import Unanswered
from schema.queries import erasing
from schema.queries.subjects import Subject
from schema.tables import Chef, Driver, Review
from tests.api.delivered import delivered

ABOUT = (["chef"], ["driver"], ["chef", "driver"])
WORDS = (None, "Good.", "Mail me: cook@example.com", "Cold.")


async def kept(play: Cast) -> list[tuple[int, int, float]]:
    """What is kept of the ratings of chef and driver."""
    async with play.database.read() as session:
        rated = [
            await session.get_one(Chef, play.world.chef.id),
            await session.get_one(Driver, play.world.drivers[0].id),
        ]
    return [(row.rating_sum, row.rating_count, row.rating) for row in rated]


async def recounted(play: Cast) -> list[tuple[int, int, float]]:
    """What the reviews that are shown come to; before the first, what the world began with."""
    counted = []
    for kind, reviewee, began in (
        (Reviewee.CHEF, play.world.chef.id, 4.0),
        (Reviewee.DRIVER, play.world.drivers[0].id, 4.5),
    ):
        async with play.database.read() as session:
            found = await session.execute(
                select(
                    func.coalesce(func.sum(col(Review.rating)), 0),
                    func.count(),
                ).where(
                    col(Review.reviewee_type) == kind,
                    col(Review.reviewee_id) == reviewee,
                    col(Review.status) == ReviewStatus.VISIBLE,
                )
            )
            total, count = found.one()
        counted.append((total, count, total / count if count else began))
    return counted


async def listed(play: Cast) -> list[dict[str, Any]]:
    return list((await play.customer.get("/reviews", limit=100))["data"])


@dataclass
class Deeds:
    """What may happen to reviews, by chance."""

    play: Cast
    chance: Random
    orders: list[str]

    def any(self) -> Awaitable[None]:
        """Something that happens."""
        deeds = [self.post, self.post, self.post, self.edit, self.edit, self.moderate]
        return self.chance.choice(deeds)()

    async def post(self) -> None:
        await self.play.customer.post(f"/orders/{self._order()}/review", **self._words())

    async def edit(self) -> None:
        await self.play.customer.put(f"/orders/{self._order()}/review", **self._words())

    async def moderate(self) -> None:
        there = await listed(self.play)
        if there:
            status = self.chance.choice(["visible", "hidden"])
            path = f"/admin/reviews/{self.chance.choice(there)['id']}"
            await self.play.admin.put(path, status=status, reason="by chance")

    async def erase(self) -> None:
        await erase_words(self.play)

    def _order(self) -> str:
        return self.chance.choice(self.orders)

    def _words(self) -> dict[str, Any]:
        said = {"rating": self.chance.randint(1, 5), "comment": self.chance.choice(WORDS)}
        return dict.fromkeys(self.chance.choice(ABOUT), said)


async def erase_words(play: Cast) -> None:
    """The customer is forgotten, as far as reviews are concerned."""
    async with play.database.write() as session:
        for statement in erasing.reviews(Subject(play.world.customer.user_id)):
            await session.execute(statement.execution_options(synchronize_session=False))


async def happen_at_once(deeds: list[Awaitable[None]]) -> None:
    for answer in await asyncio.gather(*deeds, return_exceptions=True):
        if isinstance(answer, BaseException):
            # A second review, or a change of what is not there: refused, never broken.
            assert isinstance(answer, Unanswered), answer
            assert answer.status in {404, 409}, answer


@pytest.mark.parametrize("seed", range(4))
async def test_ratings_equal_a_recount_after_whatever_happens(play: Cast, seed: int) -> None:
    chance = Random(seed)
    deeds = Deeds(play, chance, [await delivered(play) for _ in range(8)])

    for number in range(12):
        at_once = [deeds.any() for _ in range(chance.randint(1, 8))]
        await happen_at_once([*at_once, deeds.erase()] if number % 4 == 3 else at_once)

        for is_kept, is_counted in zip(await kept(play), await recounted(play), strict=True):
            assert is_kept[:2] == is_counted[:2]
            if is_counted[1]:
                assert is_kept[2] == pytest.approx(is_counted[2])

    assert sum(count for _, count, _ in await recounted(play)) > 0


async def test_many_customers_words_at_once_all_count(play: Cast) -> None:
    orders = [await delivered(play) for _ in range(20)]

    await asyncio.gather(
        *(
            play.customer.post(
                f"/orders/{order}/review",
                chef={"rating": 1 + number % 5},
                driver={"rating": 5 - number % 5},
            )
            for number, order in enumerate(orders)
        )
    )

    assert await kept(play) == await recounted(play) == [(60, 20, 3.0), (60, 20, 3.0)]


async def test_erased_words_are_gone_and_their_stars_stay(play: Cast) -> None:
    shown, waiting = [await delivered(play) for _ in range(2)]
    await play.customer.post(
        f"/orders/{shown}/review", chef={"rating": 5, "comment": "Ada was here"}
    )
    await play.customer.post(
        f"/orders/{waiting}/review", chef={"rating": 1, "comment": "ada@example.com"}
    )
    seen = next(row for row in await listed(play) if row["status"] == "visible")
    await play.chef.post(f"/chef/reviews/{seen['id']}/reply", reply="Thank you, Ada")

    await erase_words(play)

    assert [(row["comment"], row["reply"]) for row in await listed(play)] == [(None, None)] * 2
    assert {row["status"] for row in await listed(play)} == {"visible", "hidden"}
    assert (await kept(play))[0] == (5, 1, 5.0)
