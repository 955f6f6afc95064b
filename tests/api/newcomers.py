"""People who become drivers, as their app would do it."""

from typing import Any

from domain import drivers as rules
from domain.drivers import Vehicle
from local.cast import Cast
from local.people import Person

CAR = {"type": "car", "plate": "KLM 4821"}
END = "2199-12-31"


async def registered(play: Cast, **vehicle: object) -> dict[str, Any]:
    """The customer becomes a driver, and goes on as one."""
    answer: dict[str, Any] = await play.customer.post("/delivery/register", vehicle=vehicle or CAR)
    play.customer.use_token(answer["accessToken"])
    driver: dict[str, Any] = answer["driver"]
    return driver


async def hand_in(driver: Person, kind: str, *, end: str | None = END, file: str = "1") -> str:
    """A driver hands in a document; its id."""
    url = f"https://files.example.com/{kind}/{file}.jpg"
    dates = {"expiresOn": end} if end else {}
    return str((await driver.post("/delivery/documents", type=kind, fileUrl=url, **dates))["id"])


async def shows_all(play: Cast, driver_id: str, *, end: str = END) -> None:
    """A newcomer hands in all that his car needs, and an admin approves it, one by one."""
    for kind in rules.required(Vehicle.CAR):
        document = await hand_in(play.customer, kind, end=end)
        await play.admin.put(f"/admin/drivers/{driver_id}/documents/{document}", status="approved")


async def verify(play: Cast, driver_id: str, status: str, reason: str = "a test") -> Any:
    """An admin decides whether somebody may deliver."""
    return await play.admin.put(
        f"/admin/drivers/{driver_id}/verification", status=status, reason=reason
    )


async def let_in(play: Cast) -> str:
    """The customer becomes a driver who may deliver; the driver's id."""
    driver_id = str((await registered(play))["id"])
    await shows_all(play, driver_id)
    await verify(play, driver_id, "approved")
    return driver_id
