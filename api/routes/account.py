"""What is held about people, told to them; and the end of their accounts."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import accounts, exports
from api.clients import client_of
from api.dependencies import Services, ServicesDep
from api.errors import conflict, problems
from api.people import DeletionOut, EndBody, ProfileOut, deletion
from api.permits import ActsOnAccount, ActsOnProfile
from api.routes.users import profile_of
from schema.messages.erasure import ErasureStart, ErasureTerms
from schema.queries import deletions
from schema.queries import exports as rows

router = APIRouter(prefix="/users/me", tags=["Users"])

_ZIP = "application/zip"
_FILE: dict[str, object] = {
    "description": "A zip of JSON files",
    "content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}},
}


@router.get(
    "/export",
    response_class=Response,
    responses={
        HTTPStatus.OK.value: _FILE,
        **problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    },
)
async def export(held: ServicesDep, who: ActsOnProfile) -> Response:
    """Get everything that is held about the caller, as JSON files in a zip."""
    async with held.database.snapshot() as session:
        found = await rows.everything(session, who.user_id)
    at = datetime.now(UTC)
    return Response(
        # A driver's month of positions takes a while to pack.
        await asyncio.to_thread(exports.zipped, found, at),
        media_type=_ZIP,
        headers={
            "Content-Disposition": f'attachment; filename="ridendine-{at:%Y-%m-%d}.zip"',
            "Cache-Control": "no-store",
        },
    )


@router.delete(
    "",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def end_account(
    held: ServicesDep, who: ActsOnAccount, body: EndBody, request: Request
) -> DeletionOut:
    """End the caller's account at `eraseAt`; until then it can be had back. A kitchen closes and a
    driver goes off duty at once; orders that are open then are waited for. The same again gets the
    same answer. Admins cannot end theirs. Without a password in the account, the caller must have
    logged in within the last ten minutes (403 `fresh_login_needed`).
    """
    await accounts.himself(held, client_of(request), who, body.password)
    return deletion(await held.engine.people.end(_start(held, who.user_id)))


@router.post(
    "/restore",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def restore_account(held: ServicesDep, who: ActsOnAccount) -> ProfileOut:
    """Have an account back that is to end; one that is not stays as it is. The kitchen and the
    driver go on working when they say so.
    """
    async with held.database.read() as session:
        is_to_end = await deletions.one(session, who.user_id) is not None
    if is_to_end and not await held.engine.people.take_back(_start(held, who.user_id)):
        async with held.database.read() as session:
            if await deletions.one(session, who.user_id) is not None:
                raise conflict("account_closed", "the account has ended")
    return await profile_of(held, who)


def _start(held: Services, user_id: UUID) -> ErasureStart:
    settings = held.settings
    return ErasureStart(
        user_id=user_id,
        terms=ErasureTerms(
            grace=timedelta(seconds=settings.erasure_grace_seconds),
            look_again=timedelta(seconds=settings.erasure_look_again_seconds),
            settle=timedelta(seconds=settings.erasure_settle_seconds),
        ),
    )
