"""What operators do with what does not add up between our books and Stripe."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import PagingDep, ServicesDep
from api.errors import conflict, not_found, problems
from api.permits import ActsOnMoney, MayReadMoney
from api.reconciliation import (
    AskedOut,
    CaseOut,
    CloseCaseBody,
    ReconcileBody,
    ReconciliationOut,
    case,
    run,
)
from domain.reconciliation import CaseKind, CaseStatus
from schema.queries import admin, reconciliation_cases
from schema.queries.reconciliation_cases import AlreadyClosed, NotAcceptable
from workflows.schedules import RECONCILIATION

router = APIRouter(prefix="/admin/reconciliation", tags=["Admin"])


@router.get("", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_cases(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - for admins
    paging: PagingDep,
    status: Annotated[list[CaseStatus] | None, Query()] = None,
    kind: Annotated[list[CaseKind] | None, Query()] = None,
) -> ReconciliationOut:
    """List cases, the latest first; `status` and `kind` may be given several times."""
    async with held.database.read() as session:
        rows, total = await reconciliation_cases.page(
            session,
            statuses=status or [],
            kinds=kind or [],
            limit=paging.limit,
            offset=paging.offset,
        )
        last = await reconciliation_cases.last_run(session)
    return ReconciliationOut(
        data=[case(row) for row in rows],
        page=paging.page,
        limit=paging.limit,
        total=total,
        last_run=run(last) if last else None,
    )


@router.post(
    "/run",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE
    ),
)
async def run_now(
    held: ServicesDep, who: ActsOnMoney, body: ReconcileBody | None = None
) -> AskedOut:
    """Reconcile now instead of tonight; while a run is under way, right after it."""
    said = body.model_dump() if body else {}
    async with held.database.write() as session:
        await admin.ran(session, "reconciliation_run", who.user_id, said, datetime.now(UTC))
    await held.engine.money.reconcile()
    return AskedOut(schedule=RECONCILIATION)


@router.post(
    "/cases/{case_id}/close",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def close_case(
    held: ServicesDep, who: ActsOnMoney, case_id: UUID, body: CloseCaseBody
) -> CaseOut:
    """Close an open case. It is not opened again unless its figures change."""
    try:
        async with held.database.write() as session:
            row = await reconciliation_cases.close(
                session, case_id, by=who.user_id, reason=body.reason, accept=body.accept
            )
    except AlreadyClosed as closed:
        raise conflict("case_closed", "the case is not open any more") from closed
    except NotAcceptable as error:
        raise conflict(
            "case_not_acceptable", "this is no single thing that could be accepted"
        ) from error
    if row is None:
        raise not_found("case")
    return case(row)
