"""What admins did, for admins to read; nobody changes it."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from api import spreadsheets
from api.audit import AUDIT_HEAD, ActionOut, AuditFilters, action, audit_cells
from api.dependencies import PagingDep, ServicesDep
from api.errors import problems
from api.permits import MayReadAudit
from api.views import Page
from schema.queries import audit
from schema.queries.audit import Done

router = APIRouter(prefix="/admin", tags=["Admin"])


@router.get(
    "/audit",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
async def list_actions(
    held: ServicesDep,
    who: MayReadAudit,  # noqa: ARG001 - for admins
    paging: PagingDep,
    wanted: AuditFilters,
) -> Page[ActionOut]:
    """List what admins did, the latest first; `search` looks in reasons, actions and details."""
    async with held.database.read() as session:
        found, total = await audit.page(session, wanted, limit=paging.limit, offset=paging.offset)
    return Page(
        data=[action(done) for done in found], page=paging.page, limit=paging.limit, total=total
    )


@router.get("/audit.csv", response_class=StreamingResponse, responses=spreadsheets.ANSWERS)
async def export_actions(
    held: ServicesDep,
    who: MayReadAudit,  # noqa: ARG001 - for admins
    wanted: AuditFilters,
) -> StreamingResponse:
    """Export what admins did, with the filters of the list."""
    return await spreadsheets.answer(
        held.database,
        "audit.csv",
        AUDIT_HEAD,
        audit.chosen(wanted),
        lambda row: audit_cells(Done(*row)),
    )
