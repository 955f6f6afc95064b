"""What admins get to see of what admins did."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from api import examples_admin as examples
from api.dependencies import PeriodDep
from api.examples import shown
from api.views import Moment
from schema.messages.base import Message
from schema.queries.audit import Done, Wanted

_Word = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]


class ActionOut(Message):
    """What an admin did, to what, and why; `before` and `after` are what was changed, `before` null
    where there was nothing (something was made or run).
    """

    model_config = shown(examples.ACTION)

    id: UUID
    admin_id: UUID
    admin_name: str | None
    action: str
    target_type: str
    target_id: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    details: dict[str, Any]
    created_at: Moment


async def _filters(
    period: PeriodDep,
    *,
    admin_id: Annotated[UUID | None, Query(alias="adminId")] = None,
    action: _Word = None,
    target_type: Annotated[_Word, Query(alias="targetType")] = None,
    target_id: Annotated[UUID | None, Query(alias="targetId")] = None,
    search: _Word = None,
) -> Wanted:
    return Wanted(period, admin_id, action, target_type, target_id, search)


AuditFilters = Annotated[Wanted, Depends(_filters)]

AUDIT_HEAD = (
    "createdAt",
    "adminId",
    "action",
    "targetType",
    "targetId",
    "reason",
    "before",
    "after",
    "details",
)


def action(done: Done) -> ActionOut:
    """A deed, for admins."""
    row = done.row
    return ActionOut(
        **row.model_dump(
            include={
                *("id", "admin_id", "target_type", "target_id", "before", "after"),
                *("reason", "details", "created_at"),
            }
        ),
        action=row.action_type,
        admin_name=None if done.first_name is None else f"{done.first_name} {done.last_name}",
    )


def audit_cells(done: Done) -> tuple[object, ...]:
    """A deed, as a line of a spreadsheet."""
    row = done.row
    return (
        row.created_at,
        row.admin_id,
        row.action_type,
        row.target_type,
        row.target_id,
        row.reason,
        *(None if said is None else json.dumps(said) for said in (row.before, row.after)),
        json.dumps(row.details),
    )
