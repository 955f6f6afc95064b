"""Suspending people and letting them in again. What becomes of their open orders is the business of
a workflow, which is told before and after, whether somebody is suspended as a user or as the chef
or driver that he is.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api import sessions, verification
from api.dependencies import Services
from api.engine import EngineBusy
from api.errors import conflict, not_found
from api.kitchen_changes import kitchen_change
from domain.verification import Verification
from schema.queries import admin, driver_profiles, suspensions
from schema.queries.suspensions import Standing

_log = structlog.get_logger()


class _Deed(NamedTuple):
    """What an admin does, and why."""

    action: str
    by: UUID
    reason: str
    at: datetime


async def suspend(held: Services, user_id: UUID, *, by: UUID, reason: str, at: datetime) -> None:
    """Let somebody in no more, end his sessions, close his kitchen, take him off duty, and have his
    open orders seen to; the same twice is once.

    Raises EngineBusy, with nothing changed, and Problem.
    """
    if user_id == by:
        raise conflict("own_account", "nobody suspends himself")
    async with held.database.read() as session:
        chef_id = await suspensions.chef_of(session, user_id)
    async with orders_seen_to(held, user_id), _changing(held, chef_id) as session:
        seen = await _locked(session, user_id)
        if seen.user.suspended_at is not None:
            if seen.user.suspension_reason != reason:
                raise conflict("already_suspended", "this user is suspended already")
            driver, offered = seen.driver_id, list[UUID]()
        elif not seen.user.is_active:
            raise conflict("account_closed", "this account is closed")
        else:
            was, offered = await _suspend(session, seen, reason, at)
            driver, deed = seen.driver_id, _Deed(suspensions.SUSPENDED, by, reason, at)
            closed = Verification.SUSPENDED if was else None
            await _note(session, deed, user_id, _noted(True, was), _noted(False, closed))
        await sessions.end_all(held, session, user_id)
    if driver is not None:
        await held.positions.forget(driver)
    with suppress(EngineBusy):
        await verification.ask_others(held, offered)


@asynccontextmanager
async def along_with(held: Services, user_id: UUID, to: Verification) -> AsyncIterator[None]:
    """Somebody's standing as a chef or driver is written in here: suspended, his open orders are
    seen to. Raises EngineBusy before anything is written.
    """
    if to is Verification.SUSPENDED:
        async with orders_seen_to(held, user_id):
            yield
    else:
        yield


@asynccontextmanager
async def orders_seen_to(held: Services, user_id: UUID) -> AsyncIterator[None]:
    """What suspends somebody is written in here: whatever dies, his open orders are seen to.

    Raises EngineBusy before anything is written.
    """
    # A process that dies once the suspension is written has told of it before.
    await held.engine.suspensions.look(user_id)
    yield
    try:
        await held.engine.suspensions.look(user_id)
    except EngineBusy:
        # It has heard of it before, and looks by itself.
        _log.warning("not told of a suspension again", user_id=str(user_id))


async def reinstate(held: Services, user_id: UUID, *, by: UUID, reason: str, at: datetime) -> None:
    """Let somebody in again, as chef or driver too if he was let in as that before; what has not
    happened to his orders yet does not. The kitchen stays closed, and he off duty, until he says
    otherwise. Raises Problem.
    """
    async with held.database.read() as session:
        chef_id = await suspensions.chef_of(session, user_id)
    async with _changing(held, chef_id) as session:
        seen = await _locked(session, user_id)
        if seen.user.suspended_at is None:
            if seen.user.is_active:
                return
            raise conflict("not_suspended", "this account is closed, and not by a suspension")
        was, restored = seen.user.suspended_from, False
        if was is not None and seen.chef_status is Verification.SUSPENDED and seen.chef_id:
            await suspensions.change_chef(
                session,
                seen.chef_id,
                {"verification_status": was, "verification_reason": None},
            )
            restored = True
        if was is not None and seen.driver_id is not None:
            profile = await driver_profiles.locked(session, seen.driver_id)
            if profile and profile.driver.verification_status is Verification.SUSPENDED:
                await verification.becomes(session, profile, was, reason, at)
                restored = True
        await suspensions.change_user(session, user_id, suspensions.reinstated())
        deed = _Deed(suspensions.REINSTATED, by, reason, at)
        closed = Verification.SUSPENDED if restored else None
        open_again = was if restored else None
        await _note(session, deed, user_id, _noted(False, closed), _noted(True, open_again))


async def _suspend(
    session: AsyncSession, seen: Standing, reason: str, at: datetime
) -> tuple[Verification | None, list[UUID]]:
    """Write a suspension down; the answer is how the chef or driver stood who stands otherwise now,
    and the orders that a driver was offered.
    """
    was: Verification | None = None
    offered: list[UUID] = []
    if seen.chef_id is not None:
        closed: dict[str, object] = {"accepting_orders": False}
        if seen.chef_status is Verification.APPROVED:
            was = seen.chef_status
            closed |= {
                "verification_status": Verification.SUSPENDED,
                "verification_reason": reason,
            }
        await suspensions.change_chef(session, seen.chef_id, closed)
    if seen.driver_id is not None:
        profile = await driver_profiles.locked(session, seen.driver_id)
        if profile and profile.driver.verification_status is Verification.APPROVED:
            was = Verification.APPROVED
            offered = await verification.becomes(
                session, profile, Verification.SUSPENDED, reason, at
            )
    await suspensions.change_user(session, seen.user.id, suspensions.suspended(reason, at, was))
    return was, offered


async def _locked(session: AsyncSession, user_id: UUID) -> Standing:
    seen = await suspensions.locked(session, user_id)
    if seen is None:
        raise not_found("user")
    return seen


@asynccontextmanager
async def _changing(held: Services, chef_id: UUID | None) -> AsyncIterator[AsyncSession]:
    """A transaction that may change a kitchen, if there is one."""
    if chef_id is None:
        async with held.database.write() as session:
            yield session
    else:
        async with kitchen_change(held, chef_id) as session:
            yield session


async def _note(
    session: AsyncSession,
    deed: _Deed,
    user_id: UUID,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    await admin.act(
        session,
        key=f"user:{user_id}:{uuid7()}",
        admin_id=deed.by,
        action=deed.action,
        target=("user", user_id),
        details={},
        at=deed.at,
        before=before,
        after=after,
        reason=deed.reason,
    )


def _noted(is_active: bool, status: Verification | None) -> dict[str, object]:
    """How somebody stands, for the log; as a chef or driver where that is otherwise."""
    return {"isActive": is_active, **({"verificationStatus": status} if status else {})}
