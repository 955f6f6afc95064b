"""Answers remembered in Redis, so that a question is paid for once a day."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from providers.maps.geocoder import Place

FOUND_FOR = timedelta(hours=24)
NOT_FOUND_FOR = timedelta(minutes=10)
PATIENCE_SECONDS = 0.5
"""How long a geocode waits for Redis before it does without."""

_OUTAGE = (RedisError, OSError, TimeoutError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a geocoder said: a place, or that there is none."""

    place: Place | None


_ANSWER = TypeAdapter(Answer)


class Memory:
    """Remembers answers for a while. Without Redis it remembers nothing, and says so in the log."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def recall(self, question: str) -> Answer | None:
        """The answer to `question`, if it is remembered."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                stored = await self._redis.get(_key(question))
            return None if stored is None else _ANSWER.validate_json(stored)
        except (*_OUTAGE, ValidationError) as failure:
            log.warning("geocode_not_recalled", reason=type(failure).__name__)
            return None

    async def remember(self, question: str, answer: Answer) -> None:
        """Keep `answer` for a day, or for minutes if there was no such place."""
        keep_for = NOT_FOUND_FOR if answer.place is None else FOUND_FOR
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._redis.set(_key(question), _ANSWER.dump_json(answer), ex=keep_for)
        except _OUTAGE as failure:
            log.warning("geocode_not_remembered", reason=type(failure).__name__)


def _key(question: str) -> str:
    """A hash, so that the names of keys tell nobody where people live."""
    return f"maps:{hashlib.sha256(question.encode()).hexdigest()}"
