"""What people see and say of themselves: profile, picture, favourites, what they are told."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from api import people as views
from api import pictures
from api.auth import Principal
from api.dependencies import PagingDep, Services, ServicesDep
from api.errors import not_found, problems, unauthorised
from api.people import (
    NotificationOut,
    NotificationsOut,
    PreferencesBody,
    PreferencesOut,
    ProfileBody,
    ProfileOut,
    ReadAllBody,
    UnreadOut,
)
from api.permits import ActsOnProfile, MayReadProfile
from api.views import ChefOut, Page
from api.views import chef as chef_out
from domain.preferences import otherwise
from schema.queries import kitchens, profiles, reach

router = APIRouter(prefix="/users/me", tags=["Users"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CHANGES = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.get("", responses=_LOOKING)
async def get_profile(held: ServicesDep, who: MayReadProfile) -> ProfileOut:
    """See what is known of the caller; `deletion` says whether the account is to end."""
    return await profile_of(held, who)


@router.put("", responses=_CHANGES)
async def change_profile(held: ServicesDep, who: ActsOnProfile, body: ProfileBody) -> ProfileOut:
    """Say who the caller is, all of it at once. The phone number is written as in +15125550123."""
    async with held.database.write() as session:
        await profiles.change(session, who.user_id, body.model_dump(exclude={"language"}))
        if body.spoken is not None:
            await profiles.speak(session, who.user_id, body.spoken)
    return await profile_of(held, who)


@router.put(
    "/avatar",
    openapi_extra=pictures.REQUEST,
    responses=_CHANGES
    | problems(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def change_avatar(held: ServicesDep, who: ActsOnProfile, request: Request) -> ProfileOut:
    """Send a picture of the caller, as the body itself (JPEG, PNG or WebP), in place of the one
    before. Anybody may see it.
    """
    await _exchange(held, who, await pictures.keep(held, request, who.user_id))
    return await profile_of(held, who)


@router.delete("/avatar", responses=_LOOKING | problems(HTTPStatus.SERVICE_UNAVAILABLE))
async def remove_avatar(held: ServicesDep, who: ActsOnProfile) -> ProfileOut:
    """Have no picture any more."""
    await _exchange(held, who, None)
    return await profile_of(held, who)


@router.get("/favourites", responses=_LOOKING)
async def list_favourites(
    held: ServicesDep, who: MayReadProfile, paging: PagingDep
) -> Page[ChefOut]:
    """List the chefs whom the caller likes, the latest first."""
    async with held.database.read() as session:
        rows, total = await profiles.favourites(
            session, who.user_id, limit=paging.limit, offset=paging.offset
        )
    now = datetime.now(UTC)
    return Page(
        data=[chef_out(held.settings, row, now) for row in rows],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.put(
    "/favourites/{chef_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_LOOKING | problems(HTTPStatus.NOT_FOUND),
)
async def like(held: ServicesDep, who: ActsOnProfile, chef_id: UUID) -> None:
    """Remember a chef as one whom the caller likes; twice is once."""
    async with held.database.write() as session:
        if await kitchens.chef(session, chef_id) is None:
            raise not_found("chef")
        await profiles.like(session, who.user_id, chef_id)


@router.delete("/favourites/{chef_id}", status_code=HTTPStatus.NO_CONTENT, responses=_LOOKING)
async def unlike(held: ServicesDep, who: ActsOnProfile, chef_id: UUID) -> None:
    """Remember a chef no more; whom the caller does not like, it is no matter."""
    async with held.database.write() as session:
        await profiles.unlike(session, who.user_id, chef_id)


@router.get("/notification-preferences", responses=_LOOKING)
async def get_preferences(held: ServicesDep, who: MayReadProfile) -> PreferencesOut:
    """See what the caller wants to hear of, by which channels, and when not."""
    async with held.database.read() as session:
        kept = await profiles.preferences(session, who.user_id)
        return views.preferences(kept, await reach.unreachable(session, who.user_id))


@router.put("/notification-preferences", responses=_CHANGES)
async def change_preferences(
    held: ServicesDep, who: ActsOnProfile, body: PreferencesBody
) -> PreferencesOut:
    """Say what the caller wants to hear of, all of it at once; what is left out is as usual."""
    row = views.kept_preferences(who.user_id, body, otherwise(body.choices), datetime.now(UTC))
    async with held.database.write() as session:
        await profiles.prefer(session, row)
        return views.preferences(row, await reach.unreachable(session, who.user_id))


@router.get("/notifications", responses=_LOOKING)
async def list_notifications(
    held: ServicesDep,
    who: MayReadProfile,
    paging: PagingDep,
    unread: Annotated[bool, Query(description="Only what has not been read.")] = False,
) -> NotificationsOut:
    """List what the caller was told, the latest first, and how much of it is unread."""
    async with held.database.read() as session:
        rows, total, left = await profiles.told(
            session, who.user_id, unread=unread, limit=paging.limit, offset=paging.offset
        )
    return NotificationsOut(
        data=[views.notification(row) for row in rows],
        page=paging.page,
        limit=paging.limit,
        total=total,
        unread_count=left,
    )


@router.post("/notifications/read-all", responses=_CHANGES | problems(HTTPStatus.NOT_FOUND))
async def read_all_notifications(
    held: ServicesDep, who: ActsOnProfile, body: ReadAllBody
) -> UnreadOut:
    """Say that the caller has read all that he was told, up to a notification of his (as the list
    has them) or a moment; twice is once. What came after that stays unread.
    """
    async with held.database.write() as session:
        if body.notification_id is None:
            await profiles.read_until(session, who.user_id, body.until or datetime.now(UTC))
        elif not await profiles.read_up_to(session, who.user_id, body.notification_id):
            raise not_found("notification of yours")
        return UnreadOut(unread_count=await profiles.unread(session, who.user_id))


@router.put(
    "/notifications/{notification_id}/read",
    responses=_LOOKING | problems(HTTPStatus.NOT_FOUND),
)
async def read_notification(
    held: ServicesDep, who: ActsOnProfile, notification_id: UUID
) -> NotificationOut:
    """Say that the caller has read something; twice is once."""
    async with held.database.write() as session:
        row = await profiles.read(session, who.user_id, notification_id)
        if row is None:
            raise not_found("notification of yours")
        return views.notification(row)


async def profile_of(held: Services, who: Principal) -> ProfileOut:
    """The caller as he stands; 401 where his account is gone."""
    async with held.database.read() as session:
        seen = await profiles.profile(session, who.user_id)
    if seen is None:
        raise unauthorised("the account is gone")
    return views.profile(seen)


async def _exchange(held: Services, who: Principal, key: str | None) -> None:
    """Let another picture be the caller's; the file of the one before is gone after that. Whoever
    dies between the two leaves a file that nobody names, until its folder is forgotten.
    """
    async with held.database.write() as session:
        was = await profiles.exchange_avatar(session, who.user_id, key)
    if was is not None and was != key:
        await held.storage.forget([was])
