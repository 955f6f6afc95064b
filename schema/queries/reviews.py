"""Every SQL statement about reviews, and about the ratings that they add up to.

A rating is kept beside its sum and number, and changes in the transaction that changes the review.
Whoever changes a review that is there has its row locked first, then the one who is rated.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Select, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.reviews import Reviewee, ReviewStatus, counted
from schema.tables import Chef, Driver, Order, Review, ReviewReport, UserProfile
from schema.tables.columns import now

_RATED: Mapping[Reviewee, type[Chef] | type[Driver]] = {
    Reviewee.CHEF: Chef,
    Reviewee.DRIVER: Driver,
}


class Subject(NamedTuple):
    """Whom an order's customer can review, and when he got it."""

    chef_id: UUID
    driver_id: UUID | None
    delivered_at: datetime | None


class View(NamedTuple):
    """A review, the first name of who wrote it, and the number of its order."""

    review: Review
    reviewer_name: str
    order_number: str


async def subject(session: AsyncSession, order_id: UUID) -> Subject:
    """Whom an order can be reviewed for."""
    found = await session.execute(
        select(col(Order.chef_id), col(Order.driver_id), col(Order.delivered_at)).where(
            col(Order.id) == order_id
        )
    )
    return Subject(*found.one())


async def post(session: AsyncSession, new: Review) -> Review:
    """Write a review and count it, once for its order and reviewee; answers with the one that is
    there.
    """
    written = await session.scalar(
        insert(Review)
        .values(**new.model_dump())
        .on_conflict_do_nothing(index_elements=["order_id", "reviewee_type"])
        .returning(col(Review.id))
    )
    if written is None:
        known = await session.scalars(
            _of_order(new.order_id).where(col(Review.reviewee_type) == new.reviewee_type)
        )
        there: Review = known.one()
        return there
    await _rate(session, new, (0, 0), counted(new.status, new.rating))
    return new


async def of_order(session: AsyncSession, order_id: UUID) -> dict[Reviewee, Review]:
    """The reviews of an order."""
    found = await session.scalars(_of_order(order_id))
    return {review.reviewee_type: review for review in found}


async def locked_of_order(session: AsyncSession, order_id: UUID) -> dict[Reviewee, Review]:
    """The reviews of an order, which nobody else changes until this transaction ends."""
    found = await session.scalars(
        _of_order(order_id).order_by(col(Review.id)).with_for_update(key_share=True)
    )
    return {review.reviewee_type: review for review in found}


async def locked(session: AsyncSession, review_id: UUID) -> Review | None:
    """A review that nobody else changes until this transaction ends."""
    return await session.scalar(
        select(Review).where(col(Review.id) == review_id).with_for_update(key_share=True)
    )


async def find(session: AsyncSession, review_id: UUID) -> Review | None:
    """A review."""
    return await session.get(Review, review_id)


async def change(
    session: AsyncSession, review: Review, *, rating: int, status: ReviewStatus
) -> None:
    """Give a review that is locked another rating or status, and count it anew."""
    was = counted(review.status, review.rating)
    review.rating, review.status = rating, status
    await session.flush()
    await _rate(session, review, was, counted(status, rating))


async def report(session: AsyncSession, review_id: UUID, reporter_id: UUID, reason: str) -> None:
    """Write down that somebody thinks a review should not be seen; once is enough."""
    await session.execute(
        insert(ReviewReport)
        .values(review_id=review_id, reporter_id=reporter_id, reason=reason, created_at=now())
        .on_conflict_do_nothing(index_elements=["review_id", "reporter_id"])
    )


async def handle_reports(session: AsyncSession, review_id: UUID, at: datetime) -> int:
    """Write down that a moderator has looked at what was reported; how many reports that were."""
    handled = await session.execute(
        update(ReviewReport)
        .where(col(ReviewReport.review_id) == review_id, col(ReviewReport.handled_at).is_(None))
        .values(handled_at=at)
        .returning(col(ReviewReport.reporter_id))
    )
    return len(handled.all())


async def reports(
    session: AsyncSession, review_ids: Sequence[UUID]
) -> dict[UUID, list[ReviewReport]]:
    """What was reported of reviews, the first report first."""
    found = await session.scalars(
        select(ReviewReport)
        .where(col(ReviewReport.review_id).in_(review_ids))
        .order_by(col(ReviewReport.created_at), col(ReviewReport.reporter_id))
    )
    by_review: dict[UUID, list[ReviewReport]] = {}
    for row in found:
        by_review.setdefault(row.review_id, []).append(row)
    return by_review


async def one(session: AsyncSession, review_id: UUID) -> View | None:
    """A review as people see it."""
    views, _ = await page(session, col(Review.id) == review_id, limit=1, offset=0)
    return views[0] if views else None


async def page(
    session: AsyncSession, which: ColumnElement[bool], *, limit: int, offset: int
) -> tuple[list[View], int]:
    """A page of reviews, the newest first, and how many there are."""
    total = await session.scalar(select(func.count()).select_from(Review).where(which))
    found = await session.execute(
        select(Review, func.coalesce(UserProfile.first_name, ""), col(Order.order_number))
        .join(Order, col(Order.id) == col(Review.order_id))
        .outerjoin(UserProfile, col(UserProfile.user_id) == col(Review.reviewer_id))
        .where(which)
        .order_by(col(Review.created_at).desc(), col(Review.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return [View(*row) for row in found], total or 0


def shown_of_chef(chef_id: UUID) -> ColumnElement[bool]:
    """What everybody sees of what was said about a chef."""
    return (
        (col(Review.reviewee_type) == Reviewee.CHEF)
        & (col(Review.reviewee_id) == chef_id)
        & (col(Review.status) == ReviewStatus.VISIBLE)
    )


def by(reviewer_id: UUID) -> ColumnElement[bool]:
    """What somebody has said."""
    return col(Review.reviewer_id) == reviewer_id


def about(order_id: UUID) -> ColumnElement[bool]:
    """What was said about an order."""
    return col(Review.order_id) == order_id


def with_status(statuses: Sequence[ReviewStatus]) -> ColumnElement[bool]:
    """The reviews that are in one of these states."""
    return col(Review.status).in_(statuses)


def in_queue() -> ColumnElement[bool]:
    """What a moderator has to look at: what waits to be shown, and what was reported."""
    pending = select(col(Review.id)).where(col(Review.status) == ReviewStatus.PENDING)
    reported = select(col(ReviewReport.review_id)).where(col(ReviewReport.handled_at).is_(None))
    # Two indexes, where one condition would read all that was ever said.
    return col(Review.id).in_(pending.union(reported))


async def chef_id_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    """Which chef a user is."""
    return await session.scalar(select(col(Chef.id)).where(col(Chef.user_id) == user_id))


async def _rate(
    session: AsyncSession, review: Review, was: tuple[int, int], now_is: tuple[int, int]
) -> None:
    """Have somebody's ratings count what a review adds to their sum and number now, not what it
    did; PostgreSQL holds his row until this transaction ends.
    """
    if was == now_is:
        return
    rated = _RATED[review.reviewee_type]
    total = col(rated.rating_sum) + now_is[0] - was[0]
    count = col(rated.rating_count) + now_is[1] - was[1]
    await session.execute(
        update(rated)
        .where(col(rated.id) == review.reviewee_id)
        .values(
            rating_sum=total,
            rating_count=count,
            rating=func.coalesce(cast(total, Float) / func.nullif(count, 0), 0),
        )
        .execution_options(synchronize_session=False)
    )


def _of_order(order_id: UUID) -> Select[Any]:
    return select(Review).where(col(Review.order_id) == order_id)
