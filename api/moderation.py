"""What moderators see of reviews, and what they decide."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.bodies import Body, Words
from api.dependencies import Services
from api.errors import not_found
from api.examples import shown
from api.kitchen_changes import kitchen_change
from api.reviews import OWN_EXAMPLE, OwnReviewOut, own_values
from api.views import Moment
from domain.reviews import Reviewee, ReviewStatus
from schema.messages.base import Message
from schema.queries import admin, reviews
from schema.queries.reviews import View
from schema.tables import Review, ReviewReport


class ModerationBody(Body):
    """Whether a review is seen, and why."""

    model_config = shown({"status": "hidden", "reason": "It names somebody's telephone number."})

    status: Literal["visible", "hidden"]
    reason: Words


class ReviewReportOut(Message):
    """Who thinks that a review should not be seen, why, and whether somebody has looked since."""

    reporter_id: UUID
    reason: str
    created_at: Moment
    handled_at: Moment | None


class ModeratedReviewOut(OwnReviewOut):
    """A review, as moderators see it."""

    model_config = shown(
        {
            **OWN_EXAMPLE,
            "reviewerId": "0198c0de-0000-7000-8000-0000000000c1",
            "statusReason": None,
            "reports": [],
        }
    )

    reviewer_id: UUID
    status_reason: str | None
    reports: list[ReviewReportOut]


async def decide(
    held: Services, admin_id: UUID, review_id: UUID, body: ModerationBody
) -> ModeratedReviewOut:
    """Show a review or hide it, and be done with what was reported of it. Raises Problem."""
    async with held.database.read() as session:
        known = await reviews.find(session, review_id)
    if known is None:
        raise not_found("review")
    # Only what is said of chefs is among what customers see of a kitchen.
    is_chefs = known.reviewee_type is Reviewee.CHEF
    change = kitchen_change(held, known.reviewee_id) if is_chefs else held.database.write()
    async with change as session:
        review = await reviews.locked(session, review_id)
        if review is None:
            raise not_found("review")
        await _decide(session, admin_id, review, body)
    return await one(held, review_id)


async def one(held: Services, review_id: UUID) -> ModeratedReviewOut:
    """A review, as moderators see it. Raises Problem when there is none."""
    async with held.database.read() as session:
        view = await reviews.one(session, review_id)
        reported = await reviews.reports(session, [review_id])
    if view is None:
        raise not_found("review")
    return moderated(view, reported.get(review_id, []))


def moderated(view: View, reported: Sequence[ReviewReport]) -> ModeratedReviewOut:
    """A review, for moderators."""
    reports = [ReviewReportOut(**row.model_dump()) for row in reported]
    return ModeratedReviewOut(**own_values(view), reports=reports)


async def _decide(
    session: AsyncSession, admin_id: UUID, review: Review, body: ModerationBody
) -> None:
    at, was, to = datetime.now(UTC), review.status, ReviewStatus(body.status)
    handled = await reviews.handle_reports(session, review.id, at)
    if was is to and not handled:
        return
    review.status_reason = body.reason
    await reviews.change(session, review, rating=review.rating, status=to)
    await admin.act(
        session,
        key=f"review:{review.id}:{at.isoformat()}",
        admin_id=admin_id,
        action=f"review_{to}",
        target=("review", review.id),
        details={"reason": body.reason, "reports": handled},
        at=at,
        before={"status": was, "openReports": handled},
        after={"status": to, "openReports": 0},
    )
