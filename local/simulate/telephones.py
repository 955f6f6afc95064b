"""How a city's people reach the facade: over connections that all share, every request counted."""

import time
from array import array
from collections import Counter
from collections.abc import Mapping

import httpx

from api.auth import access_token
from local.people import REQUEST_SECONDS, Person
from local.world import Somebody
from schema.queries.people import Login
from schema.tables import Role
from settings import Settings

_CONNECTIONS = 80
# At every request httpx counts, for each connection that is idle, how many are.
_IDLE = 10
# How long an app tries again when the facade is away, in seconds of ours.
_PATIENCE = 120.0


class Exchange:
    """The connections, and what goes over them. `seconds` are how long each answer took."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._url = environment["API_URL"]
        self._settings = Settings.of(environment)
        self.http = httpx.AsyncClient(
            timeout=REQUEST_SECONDS,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_IDLE),
            event_hooks={"request": [self._begins], "response": [self._answered]},
        )
        self.sent = 0
        self.seconds = array("d")
        self.answers: Counter[int] = Counter()

    def phone(self, login: Somebody, role: Role, *, patient: bool = True) -> Person:
        """Somebody's phone, logged in. An impatient one does not try again.

        The token is made here, as the facade would make it: two hundred logins are two hundred
        times argon2, which is slow by design.
        """
        phone = Person(
            self._url, login.email, patience=_PATIENCE if patient else 0.0, http=self.http
        )
        who = Login(login.user_id, login.email, role, "", "", "")
        phone.use_token(access_token(who, self._settings))
        return phone

    async def close(self) -> None:
        """Hang up."""
        await self.http.aclose()

    async def _begins(self, request: httpx.Request) -> None:
        self.sent += 1
        request.extensions["began"] = time.monotonic()

    async def _answered(self, response: httpx.Response) -> None:
        self.seconds.append(time.monotonic() - response.request.extensions["began"])
        self.answers[response.status_code] += 1
