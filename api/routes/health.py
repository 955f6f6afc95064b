"""Whether a process lives, and whether it can work."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus

from fastapi import APIRouter, Response
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.dependencies import Services, ServicesDep
from api.permits import Anyone
from api.views import HealthOut

router = APIRouter(tags=["Health"], dependencies=[Anyone])

PATIENCE_SECONDS = 3.0


@router.get("/healthz")
async def alive() -> HealthOut:
    """Answer, as long as the process lives."""
    return HealthOut(status="ok")


@router.get(
    "/readyz",
    responses={HTTPStatus.SERVICE_UNAVAILABLE.value: {"model": HealthOut}},
)
async def ready(held: ServicesDep, response: Response) -> HealthOut:
    """Say whether what this process needs answers, and name what does not."""
    names = ("database", "redis", "temporal")
    found = await asyncio.gather(
        _check(_database(held)), _check(_redis(held)), _check(_temporal(held))
    )
    checks = dict(zip(names, found, strict=True))
    if all(state == "ok" for state in checks.values()):
        return HealthOut(status="ok", checks=checks)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return HealthOut(status="not ready", checks=checks)


async def _check(answer: Awaitable[bool]) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return "ok" if await answer else "does not answer"
    except TimeoutError:
        return f"did not answer within {PATIENCE_SECONDS:g} s"
    except (DBAPIError, OSError, RedisError) as error:
        return f"does not answer: {type(error).__name__}"


async def _database(held: Services) -> bool:
    async with held.database.read() as session:
        return bool(await session.scalar(text("SELECT true")))


async def _redis(held: Services) -> bool:
    return bool(await held.redis.ping())


async def _temporal(held: Services) -> bool:
    return await held.engine.ready()
