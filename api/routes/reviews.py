"""What is said about chefs and drivers: by customers, by chefs in reply, by moderators."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request

from api import moderation, pictures, reviews
from api.dependencies import Paging, PagingDep, ServicesDep, order_of
from api.errors import not_found, problems
from api.moderation import ModeratedReviewOut, ModerationBody
from api.permits import (
    ActsAsModerator,
    ActsAsReviewer,
    ActsOnProfile,
    Anyone,
    MayListOrders,
    MayReadChefs,
    MayReadKitchen,
    MayWriteKitchen,
)
from api.reviews import (
    OrderReviewOut,
    OwnReviewOut,
    ReplyBody,
    ReportBody,
    ReportedOut,
    ReviewBody,
    ReviewOut,
)
from api.views import Page
from domain.reviews import ReviewStatus
from schema.queries import kitchens
from schema.queries import reviews as rows
from schema.queries.reviews import View

router = APIRouter(tags=["Reviews"])

Out = TypeVar("Out")

_READS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@router.post("/orders/{order_id}/review", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def review_order(
    held: ServicesDep, who: ActsAsReviewer, order_id: UUID, body: ReviewBody
) -> OrderReviewOut:
    """Review an order's chef, its driver, or both, within 30 days of delivery and once for each:
    the same again gets the same answer, another review is a 409 `already_reviewed`. Words with an
    address, a telephone number or an insult are `pending` until somebody has looked at them.
    """
    await order_of(held, order_id, who)
    return await reviews.post(held, who.user_id, order_id, body)


@router.put("/orders/{order_id}/review", responses=_CHANGES)
async def edit_review(
    held: ServicesDep, who: ActsAsReviewer, order_id: UUID, body: ReviewBody
) -> OrderReviewOut:
    """Change a review, within a day (then 409 `review_locked`)."""
    await order_of(held, order_id, who)
    return await reviews.edit(held, order_id, body)


@router.post(
    "/orders/{order_id}/review/photos",
    status_code=HTTPStatus.CREATED,
    responses=_CHANGES
    | problems(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
    openapi_extra=pictures.REQUEST,
)
async def add_photo(
    held: ServicesDep, who: ActsAsReviewer, order_id: UUID, request: Request
) -> OrderReviewOut:
    """Put a photo (JPEG, PNG or WebP) into the review of an order's chef, within its day: five at
    most, and the same picture once.
    """
    await order_of(held, order_id, who)
    return await reviews.add_photo(held, request, order_id)


@router.get("/reviews", responses=_READS)
async def list_own_reviews(
    held: ServicesDep, who: MayListOrders, paging: PagingDep
) -> Page[OwnReviewOut]:
    """List what one has said, the newest first."""
    async with held.database.read() as session:
        found = await rows.page(
            session, rows.by(who.user_id), limit=paging.limit, offset=paging.offset
        )
    return _page(found, paging, reviews.own)


@router.post("/reviews/{review_id}/report", responses=_CHANGES)
async def report_review(
    held: ServicesDep, who: ActsOnProfile, review_id: UUID, body: ReportBody
) -> ReportedOut:
    """Have a moderator look at a review; once is enough."""
    return await reviews.report(held, who.user_id, review_id, body.reason)


@router.get(
    "/chefs/{chef_id}/reviews",
    dependencies=[Anyone],
    responses=problems(HTTPStatus.NOT_FOUND),
)
async def list_reviews_of_chef(
    held: ServicesDep, chef_id: UUID, paging: PagingDep
) -> Page[ReviewOut]:
    """Read what customers say about a chef, the newest first."""
    async with held.database.read() as session:
        if await kitchens.chef(session, chef_id) is None:
            raise not_found("chef")
        found = await rows.page(
            session, rows.shown_of_chef(chef_id), limit=paging.limit, offset=paging.offset
        )
    return _page(found, paging, reviews.public)


@router.get("/chef/reviews", responses=_READS | problems(HTTPStatus.NOT_FOUND))
async def list_reviews_of_kitchen(
    held: ServicesDep, who: MayReadKitchen, paging: PagingDep
) -> Page[OwnReviewOut]:
    """List what is shown of what customers say about the caller's kitchen, the newest first."""
    async with held.database.read() as session:
        chef_id = await rows.chef_id_of(session, who.user_id)
        if chef_id is None:
            raise not_found("kitchen of yours")
        found = await rows.page(
            session, rows.shown_of_chef(chef_id), limit=paging.limit, offset=paging.offset
        )
    return _page(found, paging, reviews.own)


@router.post("/chef/reviews/{review_id}/reply", responses=_CHANGES)
async def reply(
    held: ServicesDep, who: MayWriteKitchen, review_id: UUID, body: ReplyBody
) -> OwnReviewOut:
    """Answer a review of one's kitchen, or answer otherwise than before: everybody sees it."""
    return await reviews.reply(held, who.user_id, review_id, body.reply)


@router.get("/admin/reviews", responses=_READS)
async def list_reviews(
    held: ServicesDep,
    who: MayReadChefs,  # noqa: ARG001 - for admins
    paging: PagingDep,
    status: Annotated[list[ReviewStatus] | None, Query()] = None,
) -> Page[ModeratedReviewOut]:
    """List reviews, the newest first; `status` may be given several times. Without it, what has to
    be looked at: what is `pending`, and what was reported since somebody looked.
    """
    which = rows.with_status(status) if status else rows.in_queue()
    async with held.database.read() as session:
        found = await rows.page(session, which, limit=paging.limit, offset=paging.offset)
        reported = await rows.reports(session, [view.review.id for view in found[0]])
    return _page(
        found, paging, lambda view: moderation.moderated(view, reported.get(view.review.id, []))
    )


@router.put("/admin/reviews/{review_id}", responses=_CHANGES)
async def moderate(
    held: ServicesDep, who: ActsAsModerator, review_id: UUID, body: ModerationBody
) -> ModeratedReviewOut:
    """Show a review or hide it, with a reason; what was reported of it is dealt with. A hidden one
    does not count for the rating.
    """
    return await moderation.decide(held, who.user_id, review_id, body)


def _page(
    found: tuple[Sequence[View], int], paging: Paging, shown: Callable[[View], Out]
) -> Page[Out]:
    views, total = found
    return Page(
        data=[shown(view) for view in views], page=paging.page, limit=paging.limit, total=total
    )
