"""A client that listens: who it is, for how long its token is good, and how much it may ask for."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

import structlog

from api.auth import Principal
from api.dependencies import Services, known
from api.errors import Problem, forbidden, unauthorised
from api.live.forms import Spoken
from api.live.hub import Listener
from domain.permissions import Role

SessionT = TypeVar("SessionT", bound="Session")

# Why a client is hung up on, and what it is told.
ENDINGS = {
    "token_expired": "the access token has expired: connect again with a new one",
    "session_ended": "the session has ended: log in again",
    "too_many": "too many messages: connect again later",
    "too_many_connections": "you have too many connections open",
    "too_slow": "what is sent is not read: connect again, and ask what was missed",
}

_log = structlog.get_logger()


class Session(Listener):
    """A connection of somebody whose token was good when he came."""

    __slots__ = ("_at", "_expiry", "_left", "_refused", "ends_at", "has_ended", "held", "who")

    def __init__(self, held: Services, who: Principal) -> None:
        super().__init__(who.user_id, who.role)
        self.held = held
        self.who = who
        self.ends_at = _end(held, who)
        self._expiry: asyncio.TimerHandle | None = None
        self._left = float(held.settings.live_messages_at_once)
        self._at = time.monotonic()
        self._refused = 0
        self.has_ended = False

    @abstractmethod
    def close(self, ending: Spoken) -> None:
        """Say a last thing and close the connection, at once for the rest of the process. Where
        nothing is read, it is cut off.
        """

    def begin(self) -> None:
        """Listen, until the token expires. Many who were let in at the same moment can be more than
        may be there: the last of them are hung up on.
        """
        if not _has_room(self.held, self.who):
            self.hang_up("too_many_connections")
            return
        self.held.hub.join(self)
        self._until_it_expires()

    def end(self) -> None:
        """Listen no more, and ask for nothing more."""
        self.has_ended = True
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        self.held.hub.leave(self)

    def renew(self, who: Principal) -> None:
        """Go on with another token of the same user's. Raises Problem where it is another's."""
        if (who.user_id, who.role) != (self.user_id, self.role):
            raise forbidden("the token is somebody else's")
        self.who, self.ends_at = who, _end(self.held, who)
        self._until_it_expires()

    def hang_up(self, code: str) -> None:
        """End the connection, with the reason why; once."""
        if self.has_ended:
            return
        self.end()
        _log.info("a live connection is ended", code=code, user_id=str(self.user_id))
        self.close(Spoken("session:ended", {"code": code, "detail": ENDINGS[code]}))

    def resync(self) -> None:
        """Have the client look at what it shows again: something may have been missed."""
        self.take(Spoken("resync", {}))

    @property
    def issued_at(self) -> datetime:
        """When the token was given that it listens with."""
        return self.who.issued_at

    @property
    def greeting(self) -> Spoken:
        """The first thing that a client hears."""
        return Spoken(
            "connected",
            {
                "userId": str(self.user_id),
                "role": self.role.value,
                "expiresAt": written(self.ends_at),
            },
        )

    @property
    def most_orders(self) -> int:
        """How many orders the client may follow."""
        settings = self.held.settings
        return settings.live_orders_of_admins if self.role is Role.ADMIN else settings.live_orders

    def admits(self) -> bool:
        """Whether another message may be worked on. Who sends on and on although he is refused is
        hung up on.
        """
        settings, now = self.held.settings, time.monotonic()
        most = settings.live_messages_at_once
        self._left = min(most, self._left + (now - self._at) * settings.live_messages_per_second)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            self._refused = 0
            return True
        self._refused += 1
        if self._refused > most:
            self.hang_up("too_many")
        return False

    def _until_it_expires(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        left = (self.ends_at - datetime.now(UTC)).total_seconds()
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(max(0.0, left), self.hang_up, "token_expired")


async def admitted(
    held: Services, token: str, listening: Callable[[Principal], SessionT]
) -> SessionT:
    """A session for whoever has a token, not begun. Raises Problem: 401 where the token is not
    good, 429 where its user has too many connections.
    """
    who = await known(held, token)
    must_have_room(held, who)
    return listening(who)


def must_have_room(held: Services, who: Principal) -> None:
    """Raise Problem where somebody has as many connections to this process as he may."""
    if not _has_room(held, who):
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_connections",
            "you have too many connections open",
        )


async def still_good(session: Session) -> bool:
    """Whether a session that has begun is one that may: it could have been ended while its token
    was looked at, and then nobody would hang up on it.
    """
    if session.has_ended:
        return False
    if await session.held.shut_outs.is_out(session.user_id, session.who.issued_at):
        session.hang_up("session_ended")
        return False
    return True


def token_of(authorization: str | None) -> str:
    """The token of an Authorization header. Raises Problem where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorised("an access token is needed")
    return token


def written(moment: datetime) -> str:
    """A moment, for clients."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _has_room(held: Services, who: Principal) -> bool:
    return len(held.hub.of_user(who.user_id)) < held.settings.live_connections


def _end(held: Services, who: Principal) -> datetime:
    return who.issued_at + timedelta(minutes=held.settings.access_token_minutes)
