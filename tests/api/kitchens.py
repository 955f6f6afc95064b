"""People who open kitchens, as their app would do it."""

from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.hours import WEEKDAYS
from local.cast import Cast
from local.people import Person, Unanswered
from tests.pictures import PNG

END = "2199-12-31"
PDF = b"%PDF-1.7 a paper"
HOURS = {day: {"open": "00:00", "close": "24:00"} for day in WEEKDAYS}

KITCHEN = {
    "businessName": "Dosa Corner",
    "description": "Dosas, and nothing else.",
    "cuisineTypes": ["Tamil"],
    "specialties": ["Masala dosa"],
    "address": "5 Corner Street",
    "latitude": 10.5,
    "longitude": 20.5,
    "serviceRadiusKm": 7.5,
    "operatingHours": HOURS,
}

_ENDS = {"food_license": END, "insurance": END}


async def applied(play: Cast, **changes: object) -> dict[str, Any]:
    """The customer becomes a chef, and goes on as one; the kitchen."""
    answer = await play.customer.post("/chef/apply", **{**KITCHEN, **changes})
    play.customer.use_token(answer["accessToken"])
    kitchen: dict[str, Any] = answer["chef"]
    return kitchen


async def hand_in(
    chef: Person, kind: str, content: bytes = PDF, *, end: str | None = None
) -> dict[str, Any]:
    """A chef hands in a document, good until its `end` or as long as such are."""
    dates = {"expiresOn": end or _ENDS.get(kind)}
    document: dict[str, Any] = await chef.upload(
        "/chef/documents",
        content,
        "application/octet-stream",
        type=kind,
        **{name: day for name, day in dates.items() if day},
    )
    return document


async def shows_all(play: Cast, chef_id: str) -> list[str]:
    """An applicant hands in all that is asked for, and an admin approves it; what that was."""
    ids = []
    for kind in ("identity", "food_license", "kitchen_photo"):
        document = await hand_in(play.customer, kind, PDF + uuid4().bytes)
        ids.append(document["id"])
        await play.admin.put(f"/admin/chefs/{chef_id}/documents/{ids[-1]}", status="approved")
    return ids


async def verify(play: Cast, chef_id: str, status: str, reason: str = "a test") -> Any:
    """An admin decides whether a kitchen may sell."""
    return await play.admin.put(f"/admin/chefs/{chef_id}/verify", status=status, reason=reason)


async def let_in(play: Cast) -> dict[str, Any]:
    """The customer becomes a chef who may sell; the kitchen."""
    chef_id = (await applied(play))["id"]
    await shows_all(play, chef_id)
    kitchen: dict[str, Any] = await verify(play, chef_id, "approved")
    return kitchen


async def refusal(asked: Coroutine[Any, Any, Any]) -> tuple[int, str]:
    """With which status and code a request is refused."""
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def send_picture(
    play: Cast, person: Person, method: str, path: str, content: bytes = PNG
) -> httpx.Response:
    """Somebody sends a picture as the body itself."""
    headers = {"Authorization": person.authorization, "Content-Type": "image/png"}
    async with httpx.AsyncClient(base_url=f"{play.environment['API_URL']}/api/v1") as http:
        return await http.request(method, path, content=content, headers=headers)
