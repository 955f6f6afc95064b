"""Every SQL statement by which admins look at what admins did."""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.queries.earnings import Between
from schema.tables import AdminAction, UserProfile


@dataclass(frozen=True)
class Wanted:
    """Which deeds: whose, of what kind, about what, when, and with which words in them."""

    period: Between = field(default_factory=Between)
    admin_id: UUID | None = None
    action: str | None = None
    target_type: str | None = None
    target_id: UUID | None = None
    search: str | None = None


class Done(NamedTuple):
    """What an admin did, and what he is called now."""

    row: AdminAction
    first_name: str | None
    last_name: str | None


async def page(
    session: AsyncSession, wanted: Wanted, *, limit: int, offset: int
) -> tuple[list[Done], int]:
    """A page of what was done, the latest first, and how much that is."""
    asked = chosen(wanted)
    found = await session.execute(asked.limit(limit).offset(offset))
    total = await session.scalar(select(func.count()).select_from(asked.order_by(None).subquery()))
    return [Done(*row) for row in found], total or 0


def chosen(wanted: Wanted) -> Select[AdminAction, str, str]:
    """What is wanted, the latest first."""
    return (
        select(AdminAction, col(UserProfile.first_name), col(UserProfile.last_name))
        .outerjoin(UserProfile, col(UserProfile.user_id) == col(AdminAction.admin_id))
        .where(*_limits(wanted))
        .order_by(col(AdminAction.created_at).desc(), col(AdminAction.id).desc())
    )


def _limits(wanted: Wanted) -> list[ColumnElement[bool]]:
    limits = list(wanted.period.holds(col(AdminAction.created_at)))
    if wanted.admin_id is not None:
        limits.append(col(AdminAction.admin_id) == wanted.admin_id)
    if wanted.action is not None:
        limits.append(col(AdminAction.action_type) == wanted.action)
    if wanted.target_type is not None:
        limits.append(col(AdminAction.target_type) == wanted.target_type)
    if wanted.target_id is not None:
        limits.append(col(AdminAction.target_id) == wanted.target_id)
    if wanted.search:
        words = wanted.search.lower()
        limits.append(
            or_(
                func.lower(AdminAction.reason).contains(words, autoescape=True),
                func.lower(AdminAction.action_type).contains(words, autoescape=True),
                func.lower(cast(AdminAction.details, Text)).contains(words, autoescape=True),
            )
        )
    return limits
