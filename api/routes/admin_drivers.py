"""What operators do with drivers."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import suspension, verification
from api.dependencies import PagingDep, ServicesDep
from api.driver_lookup import profile_of
from api.driver_profiles import (
    DocumentDecisionBody,
    DriverOut,
    DriverProfileOut,
    Seen,
    VerificationBody,
    driver,
)
from api.errors import problems
from api.permits import ActsOnDrivers, MayReadDrivers
from api.views import Page
from domain.verification import Verification
from schema.queries import driver_profiles, driver_records
from schema.queries.driver_records import Work

router = APIRouter(prefix="/admin/drivers", tags=["Admin"])

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@router.get(
    "",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
async def list_drivers(
    held: ServicesDep,
    who: MayReadDrivers,  # noqa: ARG001 - for admins
    paging: PagingDep,
    status: Annotated[list[Verification] | None, Query()] = None,
    search: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
) -> Page[DriverOut]:
    """List the drivers, the latest first; `status` may be given several times, `search` looks in
    names and email addresses.
    """
    now = datetime.now(UTC)
    async with held.database.read() as session:
        found, total = await driver_profiles.page(
            session, status=status or [], search=search, limit=paging.limit, offset=paging.offset
        )
        ids = [seen.driver.id for seen in found]
        work = await driver_records.work(session, ids)
        asked = await driver_records.asked(session, ids)
    return Page(
        data=[
            driver(held.settings, Seen(seen, work.get(key, Work()), asked.get(key, [])), now)
            for key, seen in zip(ids, found, strict=True)
        ],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.get(
    "/{driver_id}",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def get_driver(
    held: ServicesDep,
    who: MayReadDrivers,  # noqa: ARG001 - for admins
    driver_id: UUID,
) -> DriverProfileOut:
    """Look at one driver: what was shown, what is missing, how he does."""
    return await profile_of(held, driver_id)


@router.put(
    "/{driver_id}/verification", responses=_CHANGES | problems(HTTPStatus.SERVICE_UNAVAILABLE)
)
async def verify_driver(
    held: ServicesDep, who: ActsOnDrivers, driver_id: UUID, body: VerificationBody
) -> DriverProfileOut:
    """Let a driver deliver (when all documents are approved and good), turn him away, or suspend
    him. Then he is off duty, and what he is offered or has not picked up goes to others; what he
    carries stays his.
    """
    driver = await profile_of(held, driver_id)
    async with (
        suspension.along_with(held, driver.user_id, body.status),
        held.database.write() as session,
    ):
        offered = await verification.decide(
            session, driver_id, body, by=who.user_id, at=datetime.now(UTC)
        )
    if body.status is not Verification.APPROVED:
        await held.positions.forget(driver_id)
    await verification.ask_others(held, offered)
    return await profile_of(held, driver_id)


@router.put("/{driver_id}/documents/{document_id}", responses=_CHANGES)
async def decide_document(
    held: ServicesDep,
    who: ActsOnDrivers,
    driver_id: UUID,
    document_id: UUID,
    body: DocumentDecisionBody,
) -> DriverProfileOut:
    """Approve a document or reject it. A driver who must show it and has no other such one is off
    duty until he is verified again.
    """
    async with held.database.write() as session:
        offered = await verification.decide_document(
            session,
            document_id,
            body,
            driver_id=driver_id,
            by=who.user_id,
            at=datetime.now(UTC),
        )
    await verification.ask_others(held, offered)
    return await profile_of(held, driver_id)
