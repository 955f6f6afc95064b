"""What customers say about chefs and drivers, who answers, and what is shown of it."""

from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from fastapi import Request
from pydantic import Field, model_validator
from uuid_utils.compat import uuid7

from api import pictures
from api.bodies import Body, Words
from api.dependencies import Services
from api.errors import Problem, conflict, not_found
from api.examples import shown
from api.kitchen_changes import kitchen_change
from api.views import Moment
from domain import reviews as rules
from domain.reviews import EDIT_WINDOW, MOST_PHOTOS, Reviewee, ReviewStatus
from schema.messages.base import Message
from schema.queries import reviews
from schema.queries.reviews import Subject, View
from schema.tables import Review

_REVIEW = {
    "id": "0198c0de-0000-7000-8000-0000000000f5",
    "rating": 5,
    "comment": "Crisp as in Chennai.",
    "photos": ["/api/v1/pictures/0198c0de-0000-7000-8000-0000000000c1/9f86d081884c7d65.jpg"],
    "reviewerName": "Casey",
    "reply": "Come again!",
    "repliedAt": "2026-02-01T10:00:00Z",
    "editedAt": None,
    "createdAt": "2026-01-31T20:00:00Z",
}
OWN_EXAMPLE = {
    **_REVIEW,
    "orderId": "0198c0de-0000-7000-8000-00000000000a",
    "orderNumber": "RND-20260131-0001",
    "revieweeType": "chef",
    "revieweeId": "0198c0de-0000-7000-8000-000000000001",
    "status": "visible",
    "editableUntil": "2026-02-01T20:00:00Z",
}


class RatingBody(Body):
    """From 1 to 5, and perhaps why."""

    rating: int = Field(strict=True, ge=1, le=5)
    comment: Words | None = None


class ReviewBody(Body):
    """What a customer says about an order's chef, its driver, or both."""

    model_config = shown(
        {
            "chef": {"rating": 5, "comment": "Crisp as in Chennai."},
            "driver": {"rating": 4},
        }
    )

    chef: RatingBody | None = None
    driver: RatingBody | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.chef is None and self.driver is None:
            raise ValueError("rate the chef, the driver, or both")
        return self

    def ratings(self) -> dict[Reviewee, RatingBody]:
        """What is said about whom, the chef first."""
        said = {Reviewee.CHEF: self.chef, Reviewee.DRIVER: self.driver}
        return {kind: rating for kind, rating in said.items() if rating is not None}


class ReplyBody(Body):
    """What a chef answers."""

    model_config = shown({"reply": "Come again!"})

    reply: Words


class ReportBody(Body):
    """Why a review should not be seen."""

    model_config = shown({"reason": "This is about another kitchen."})

    reason: Words


class ReviewOut(Message):
    """A review, as everybody sees it."""

    model_config = shown(_REVIEW)

    id: UUID
    rating: int
    comment: str | None
    photos: list[str]
    reviewer_name: str
    reply: str | None
    replied_at: Moment | None
    edited_at: Moment | None
    created_at: Moment


class OwnReviewOut(ReviewOut):
    """A review, as its author and its order's chef see it: `pending` until somebody has looked at
    its words, `hidden` when they are not to be seen.
    """

    model_config = shown(OWN_EXAMPLE)

    order_id: UUID
    order_number: str
    reviewee_type: Reviewee
    reviewee_id: UUID
    status: ReviewStatus
    editable_until: Moment


class OrderReviewOut(Message):
    """What the customer has said about an order's chef and driver."""

    model_config = shown({"chef": OWN_EXAMPLE, "driver": None})

    chef: OwnReviewOut | None
    driver: OwnReviewOut | None


class ReportedOut(Message):
    """The review that was reported."""

    model_config = shown({"reviewId": _REVIEW["id"]})

    review_id: UUID


async def post(
    held: Services, reviewer_id: UUID, order_id: UUID, body: ReviewBody
) -> OrderReviewOut:
    """Review an order, once for chef and driver each. Raises Problem."""
    async with held.database.read() as session:
        about = await reviews.subject(session, order_id)
    if about.delivered_at is None:
        raise conflict("not_delivered", "an order is reviewed when it is there")
    if not rules.may_be_reviewed(about.delivered_at, datetime.now(UTC)):
        raise conflict("review_too_late", "it is too long ago to be reviewed")
    async with kitchen_change(held, about.chef_id) as session:
        for kind, said in body.ratings().items():
            new = Review(
                id=uuid7(),
                order_id=order_id,
                reviewer_id=reviewer_id,
                reviewee_type=kind,
                reviewee_id=_reviewee(about, kind),
                rating=said.rating,
                comment=said.comment,
                photos=[],
                status=rules.first_status(said.comment),
            )
            known = await reviews.post(session, new)
            if (known.rating, known.comment) != (said.rating, said.comment):
                raise conflict("already_reviewed", f"the {kind} has your review of this order")
    return await of_order(held, order_id)


async def edit(held: Services, order_id: UUID, body: ReviewBody) -> OrderReviewOut:
    """Change what was said about an order, within a day. Raises Problem."""
    async with held.database.read() as session:
        about = await reviews.subject(session, order_id)
    at = datetime.now(UTC)
    async with kitchen_change(held, about.chef_id) as session:
        there = await reviews.locked_of_order(session, order_id)
        for kind, said in body.ratings().items():
            review = _editable(there, kind, at)
            if (review.rating, review.comment) == (said.rating, said.comment):
                continue
            review.comment, review.edited_at = said.comment, at
            status = rules.status_after_edit(review.status, said.comment)
            await reviews.change(session, review, rating=said.rating, status=status)
    return await of_order(held, order_id)


async def add_photo(held: Services, request: Request, order_id: UUID) -> OrderReviewOut:
    """Put a photo into the review of an order's chef; the same one again is there once.

    Raises Problem, BodyTooLarge and StorageAway.
    """
    async with held.database.read() as session:
        known = await reviews.of_order(session, order_id)
    # Nothing is kept for a review that takes no photos.
    review = _editable(known, Reviewee.CHEF, datetime.now(UTC))
    # Not among the reviewer's own pictures: those tell who he is, and go by themselves.
    key = await pictures.keep(held, request, review.id)
    async with held.database.write() as session:
        there = await reviews.locked_of_order(session, order_id)
        review = _editable(there, Reviewee.CHEF, datetime.now(UTC))
        if key not in review.photos:
            if len(review.photos) >= MOST_PHOTOS:
                raise conflict("too_many_photos", f"a review has {MOST_PHOTOS} photos at most")
            review.photos = [*review.photos, key]
    return await of_order(held, order_id)


async def of_order(held: Services, order_id: UUID) -> OrderReviewOut:
    """What was said about an order."""
    async with held.database.read() as session:
        said, _ = await reviews.page(session, reviews.about(order_id), limit=2, offset=0)
    return OrderReviewOut(chef=_said(said, Reviewee.CHEF), driver=_said(said, Reviewee.DRIVER))


async def reply(held: Services, user_id: UUID, review_id: UUID, words: str) -> OwnReviewOut:
    """Have a chef answer a review of his kitchen, or answer otherwise. Raises Problem."""
    async with held.database.write() as session:
        chef_id = await reviews.chef_id_of(session, user_id)
        review = await reviews.locked(session, review_id)
        if review is None or not _is_of(review, chef_id):
            raise not_found("review of your kitchen")
        if review.reply != words:
            review.reply, review.replied_at = words, datetime.now(UTC)
    async with held.database.read() as session:
        view = await reviews.one(session, review_id)
    if view is None:
        raise not_found("review of your kitchen")
    return own(view)


async def report(held: Services, reporter_id: UUID, review_id: UUID, reason: str) -> ReportedOut:
    """Have somebody look at a review, once for each who asks. Raises Problem."""
    async with held.database.write() as session:
        review = await reviews.find(session, review_id)
        if review is None or review.status is not ReviewStatus.VISIBLE:
            raise not_found("review")
        await reviews.report(session, review_id, reporter_id, reason)
    return ReportedOut(review_id=review_id)


def public(view: View) -> ReviewOut:
    """A review, for everybody."""
    return ReviewOut(**_values(view))


def own(view: View) -> OwnReviewOut:
    """A review, for its author and its order's chef."""
    return OwnReviewOut(**own_values(view))


def own_values(view: View) -> dict[str, object]:
    """What an author's review has in it."""
    return {
        **_values(view),
        "order_number": view.order_number,
        "editable_until": view.review.created_at + EDIT_WINDOW,
    }


def _values(view: View) -> dict[str, object]:
    row = view.review
    return {
        **row.model_dump(),
        "photos": [pictures.url(key) for key in row.photos],
        "reviewer_name": view.reviewer_name,
    }


def _said(said: list[View], kind: Reviewee) -> OwnReviewOut | None:
    return next((own(view) for view in said if view.review.reviewee_type is kind), None)


def _reviewee(about: Subject, kind: Reviewee) -> UUID:
    reviewee = about.chef_id if kind is Reviewee.CHEF else about.driver_id
    if reviewee is None:
        raise _nobody(kind)
    return reviewee


def _editable(there: dict[Reviewee, Review], kind: Reviewee, at: datetime) -> Review:
    review = there.get(kind)
    if review is None:
        raise not_found(f"review of the {kind}")
    if not rules.may_be_edited(review.created_at, at):
        raise conflict("review_locked", "a review can be changed for a day")
    return review


def _is_of(review: Review, chef_id: UUID | None) -> bool:
    return (
        review.reviewee_type is Reviewee.CHEF
        and review.reviewee_id == chef_id
        and review.status is ReviewStatus.VISIBLE
    )


def _nobody(kind: Reviewee) -> Problem:
    return conflict("nobody_to_review", f"this order has had no {kind}")
