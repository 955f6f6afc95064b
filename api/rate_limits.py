"""How often somebody may ask: 100 requests in 15 minutes without a login (seeds 000 and 004), more
with one, and little where passwords and codes could be guessed.

Counted in Redis, so that all processes share the limits, by a sliding window of two counters: a
window of each request's own moment would keep a thousand moments for everybody who is signed in,
and a fixed window lets twice as much through around its edge.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs
from uuid import UUID

import jwt
from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import principal
from api.clients import client_of
from api.errors import Problem
from providers.quiet import Pause
from settings import Settings

# What browsers may show an app of another origin.
FIELDS = ("RateLimit", "RateLimit-Policy", "Retry-After")

_API = "/api/v1"
_POSITIONS = f"{_API}/delivery/location"
_AUTH = f"{_API}/auth/"
# Socket.IO's own path.
_LIVE = "/socket.io/"
# Nobody guesses a refresh token, or what a login elsewhere comes back with; and the phones behind
# one address renew theirs all day.
_NOT_GUESSED = ("/refresh", "/logout", "/callback")
_HEALTH = {"/healthz", "/readyz"}
# Stripe sends as often as it likes; a list of dishes has a picture each.
_UNLIMITED = (f"{_API}/webhooks/", f"{_API}/pictures/")

_PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Rule:
    """A limit, its name, and who is counted by it."""

    name: str
    limit: RateLimitItem
    who: str


@dataclass(frozen=True)
class Standing:
    """How somebody stands: whether he may go on, how many requests he has left, and in how many
    seconds there is another one.
    """

    rule: Rule
    is_admitted: bool
    remaining: int
    seconds: int

    def told(self) -> Iterator[tuple[str, str]]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        name, limit = self.rule.name, self.rule.limit
        yield "RateLimit-Policy", f'"{name}";q={limit.amount};w={limit.get_expiry()}'
        yield "RateLimit", f'"{name}";r={self.remaining};t={self.seconds}'

    @property
    def refusal(self) -> Problem:
        """What somebody is told who is not admitted."""
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "rate_limited",
            f"too many requests; ask again in {self.seconds} s",
            headers={"Retry-After": str(self.seconds)},
        )


class RateLimits:
    """The counters. Without Redis nobody is held up."""

    def __init__(self, redis_url: str, redis: Redis) -> None:
        storage = RedisStorage(
            f"async+{redis_url}",
            implementation="redispy",
            key_prefix="rate-limits",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]
        )
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._pause = Pause("what counts the requests")

    async def take(self, rule: Rule) -> Standing | None:
        """Count a request, unless it is one too many; None where nobody can tell."""
        if self._pause.lasts:
            return None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._counted(rule)
        except (RedisError, OSError, TimeoutError) as error:
            self._pause.begin(error)
            return None

    async def _counted(self, rule: Rule) -> Standing:
        counted_by = (rule.name, rule.who)
        admitted = await self._window.hit(rule.limit, *counted_by)
        seen = await self._window.get_window_stats(rule.limit, *counted_by)
        seconds = math.ceil(seen.reset_time - time.time())
        remaining = seen.remaining if admitted else 0
        return Standing(rule, admitted, remaining, max(1, seconds))


class RateLimited:
    """Answers 429 to whoever asks too often, and tells everybody how he stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it is one too many."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        held = scope["app"].state.services
        rule = rule_for(scope, held.settings)
        standing = await held.rate_limits.take(rule) if rule else None
        if standing is None:
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in standing.told():
                    headers[name] = value
            await send(message)

        if standing.is_admitted:
            await self._app(scope, receive, told)
        else:
            await standing.refusal.response()(scope, receive, told)


def rule_for(scope: Scope, settings: Settings) -> Rule | None:
    """The limit that a request falls under, if it falls under any."""
    path = scope["path"]
    if path in _HEALTH or path.startswith(_UNLIMITED) or _goes_on(scope):
        return None
    if path.startswith(_LIVE) or scope["type"] == "websocket":
        return _rule("live", settings.rate_limit_live, client_of(HTTPConnection(scope)))
    method = scope["method"]
    if path.startswith(_AUTH) and method != "GET" and not path.endswith(_NOT_GUESSED):
        return _rule("auth", settings.rate_limit_auth, client_of(HTTPConnection(scope)))
    user = _user(scope, settings)
    if user is None:
        return _rule("anonymous", settings.rate_limit_anonymous, client_of(HTTPConnection(scope)))
    if path == _POSITIONS and method == "POST":
        return positions_rule(settings, user)
    return _rule("signed-in", settings.rate_limit_signed_in, user)


def positions_rule(settings: Settings, user_id: UUID | str) -> Rule | None:
    """The limit of what a driver's phone may say, whichever way it does."""
    return _rule("positions", settings.rate_limit_positions, str(user_id))


def _goes_on(scope: Scope) -> bool:
    """Whether a request belongs to a Socket.IO connection whose opening was counted."""
    if not scope["path"].startswith(_LIVE):
        return False
    return "sid" in parse_qs(scope["query_string"].decode("latin-1"))


def _rule(name: str, limit: RateLimitItem | None, who: str) -> Rule | None:
    return Rule(name, limit, who) if limit else None


def _user(scope: Scope, settings: Settings) -> str | None:
    """Whose valid token a request has; with any other one anybody could be anybody."""
    scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return str(principal(token, settings).user_id)
    except jwt.InvalidTokenError:
        return None
