"""What operators do with people."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from uuid_utils.compat import uuid7

from api import spreadsheets, suspension
from api.dependencies import PagingDep, Services, ServicesDep
from api.errors import invalid, not_found, problems
from api.permits import ActsOnUsers, MayReadUsers
from api.users import (
    USERS_HEAD,
    ReinstateBody,
    SuspendBody,
    UserBody,
    UserDetailOut,
    UserFilters,
    UserOut,
    user,
    user_cells,
    user_detail,
)
from api.views import Page
from schema.queries import admin, suspensions, users
from schema.queries.users import Seen

router = APIRouter(prefix="/admin", tags=["Admin"])

_LOOKS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@router.get("/users", responses=_LOOKS)
async def list_users(
    held: ServicesDep,
    who: MayReadUsers,  # noqa: ARG001 - for admins
    paging: PagingDep,
    wanted: UserFilters,
) -> Page[UserOut]:
    """List people, those who came last first; `role` may be given several times, `search` looks in
    names, email addresses and phone numbers, `begin` and `end` are days of registration.
    """
    async with held.database.read() as session:
        found, total = await users.page(session, wanted, limit=paging.limit, offset=paging.offset)
    return Page(
        data=[user(seen) for seen in found], page=paging.page, limit=paging.limit, total=total
    )


@router.get("/users.csv", response_class=StreamingResponse, responses=spreadsheets.ANSWERS)
async def export_users(
    held: ServicesDep,
    who: MayReadUsers,  # noqa: ARG001 - for admins
    wanted: UserFilters,
) -> StreamingResponse:
    """Export people, with the filters of the list."""
    return await spreadsheets.answer(
        held.database,
        "users.csv",
        USERS_HEAD,
        users.chosen(wanted),
        lambda row: user_cells(Seen(*row)),
    )


@router.get(
    "/users/{user_id}",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def get_user(
    held: ServicesDep,
    who: MayReadUsers,  # noqa: ARG001 - for admins
    user_id: UUID,
) -> UserDetailOut:
    """Look at somebody, and at what he has to do with orders."""
    return await _as_he_stands(held, user_id)


@router.put("/users/{user_id}", responses=_CHANGES)
async def change_user(
    held: ServicesDep, who: ActsOnUsers, user_id: UUID, body: UserBody
) -> UserDetailOut:
    """Correct somebody's name. Of what it was and is, the log has the length alone: it may have to
    be erased one day.
    """
    if not body.changes:
        raise invalid("body", "nothing_to_change", "say firstName or lastName")
    async with held.database.write() as session:
        if await suspensions.locked(session, user_id) is None:
            raise not_found("user")
        seen = await users.one(session, user_id)
        if seen is None:
            raise not_found("user")
        changes = {
            name: value
            for name, value in body.changes.items()
            if getattr(seen.profile, name) != value
        }
        # The rename changes what was seen, too.
        was = {name: getattr(seen.profile, name) for name in changes}
        if changes:
            await users.rename(session, user_id, changes)
            await admin.act(
                session,
                key=f"user:{user_id}:{uuid7()}",
                admin_id=who.user_id,
                action="user_renamed",
                target=("user", user_id),
                details={"changed": sorted(changes)},
                at=datetime.now(UTC),
                before=_lengths(was),
                after=_lengths(changes),
                reason=body.reason,
            )
    return await _as_he_stands(held, user_id)


@router.post("/users/{user_id}/suspend", responses=_CHANGES)
async def suspend_user(
    held: ServicesDep, who: ActsOnUsers, user_id: UUID, body: SuspendBody
) -> UserDetailOut:
    """Suspend somebody. A customer's orders that no chef has accepted are cancelled and refunded; a
    chef's kitchen is closed, and what he does not cook yet is cancelled by his fault; a driver is
    off duty, and what he has not picked up goes to others. What is beyond that goes on.
    """
    await suspension.suspend(
        held, user_id, by=who.user_id, reason=body.reason, at=datetime.now(UTC)
    )
    return await _as_he_stands(held, user_id)


@router.post("/users/{user_id}/reinstate", responses=_CHANGES)
async def reinstate_user(
    held: ServicesDep, who: ActsOnUsers, user_id: UUID, body: ReinstateBody
) -> UserDetailOut:
    """Let somebody in again who was suspended. His orders that were cancelled stay so."""
    await suspension.reinstate(
        held, user_id, by=who.user_id, reason=body.reason, at=datetime.now(UTC)
    )
    return await _as_he_stands(held, user_id)


async def _as_he_stands(held: Services, user_id: UUID) -> UserDetailOut:
    async with held.database.read() as session:
        seen = await users.one(session, user_id)
        if seen is None:
            raise not_found("user")
        return user_detail(seen, await users.counts(session, user_id))


def _lengths(names: dict[str, str]) -> dict[str, object]:
    return {f"{name}_length": len(value) for name, value in names.items()}
