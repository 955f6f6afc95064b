"""What people get by mail and SMS."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from local.cast import Cast
from local.people import until

Letter = dict[str, Any]


async def letters(play: Cast, to: str) -> list[Letter]:
    """What somebody got so far, the newest first."""
    async with httpx.AsyncClient(base_url=play.environment["INBOX_URL"]) as http:
        found: list[Letter] = (await http.get("/inbox", params={"to": to})).json()
    return found


async def letter(play: Cast, to: str, subject: str, *, number: int = 1) -> Letter:
    """Wait until somebody has so many letters of a subject; the newest of them."""

    async def has_come() -> Letter | None:
        found = [got for got in await letters(play, to) if got["subject"] == subject]
        return found[0] if len(found) >= number else None

    return await until(has_come)


def token_of(found: Letter, page: str) -> str:
    """The token of a letter's link, which leads to a page of the app's."""
    (link,) = re.findall(r"https?://\S+", found["words"])
    seen = urlsplit(link)
    assert seen.path == page
    return parse_qs(seen.query)["token"][0]


async def code(play: Cast, to: str, *, number: int = 1) -> str:
    """Wait for an SMS; the code in it."""
    sms = await letter(play, to, "", number=number)
    (found,) = re.findall(r"\b[0-9]{6}\b", sms["words"])
    return str(found)


async def refuse(play: Cast, to: str, *, times: int, for_good: bool = False) -> None:
    """Have the post office refuse what comes next for somebody."""
    async with httpx.AsyncClient(base_url=play.environment["INBOX_URL"]) as http:
        body = {"to": to, "times": times, "kind": "dead" if for_good else "down"}
        (await http.post("/_control/faults", json=body)).raise_for_status()


async def refused(play: Cast, to: str) -> int:
    """How often somebody's letters were refused."""
    async with httpx.AsyncClient(base_url=play.environment["INBOX_URL"]) as http:
        return int((await http.get("/_control/faults", params={"to": to})).json()["struck"])
