"""Somebody who logs in by Google, Facebook or Apple: the app, and the browser that it opens."""

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx

APP = "ridendine://login"


def somebody() -> str:
    """An address that nobody has."""
    return f"somebody-{uuid4().hex}@example.com"


@dataclass
class App:
    """An app on a phone, at one facade."""

    http: httpx.AsyncClient
    api: str = "/api/v1"
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"{self.api}{path}", json=body, headers=self.headers)

    async def begin(self, provider: str) -> dict[str, Any]:
        """What the app keeps while somebody is away."""
        answer = await self.post(f"/auth/social/{provider}/start", {"redirectUri": APP})
        assert answer.status_code == 200, answer.text
        started: dict[str, Any] = answer.json()
        return started

    async def came_back(self, provider: str, email: str, **what: str) -> dict[str, str]:
        """What the app may go on with, after a login there."""
        started = await self.begin(provider)
        answer = await self.away(started["authorizationUrl"], email, **what)
        assert answer["state"] == started["state"]
        return {
            "provider": provider,
            "code": answer["code"],
            "state": answer["state"],
            "binding": started["binding"],
        }

    async def away(self, address: str, email: str, **what: str) -> dict[str, str]:
        """What a browser brings back to the app from a login there."""
        asked = {"as": email, "verified": "1", "first_name": "Casey", "last_name": "Morgan"} | what
        async with httpx.AsyncClient() as browser:
            shown = await browser.get(address, params=parse_qs(urlsplit(address).query) | asked)
        if shown.is_redirect:
            # The callback is the facade's own, wherever the test has it.
            back = urlsplit(shown.headers["location"])
            answer = await self.http.get(f"{back.path}?{back.query}")
        else:
            action, fields = _form(shown.text)
            answer = await self.http.post(urlsplit(action).path, data=fields)
        assert answer.status_code == 303, answer.text
        location = answer.headers["location"]
        assert location.startswith(f"{APP}?")
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    async def log_in(self, provider: str, email: str, **what: str) -> httpx.Response:
        """A whole login."""
        return await self.post("/auth/login/social", await self.came_back(provider, email, **what))

    def signed_in(self, login: httpx.Response) -> "App":
        """The same app, with the token of a login."""
        assert login.status_code == 200, login.text
        token = login.json()["accessToken"]
        return App(self.http, self.api, {"Authorization": f"Bearer {token}"})

    async def ways_in(self) -> dict[str, Any]:
        answer = await self.http.get(f"{self.api}/auth/social/identities", headers=self.headers)
        assert answer.status_code == 200, answer.text
        ways: dict[str, Any] = answer.json()
        return ways

    async def unlink(self, provider: str) -> httpx.Response:
        path = f"{self.api}/auth/social/identities/{provider}"
        return await self.http.delete(path, headers=self.headers)


def _form(page: str) -> tuple[str, dict[str, str]]:
    action = re.search(r'action="([^"]*)"', page)
    assert action, page
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', page)
    return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}
