"""Mails that SendGrid takes and that bounce later."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from domain.preferences import Channel
from local.people import Person
from local.world import PASSWORD
from settings import Settings
from tests.api.listening import gateway
from tests.sendgrid import PATH
from tests.workflows.sorting_office import SortingOffice, sorting_office


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[SortingOffice]:
    """An office whose mails go by SendGrid."""
    by_sendgrid = settings.model_copy(
        update={
            "sendgrid_api_key": SecretStr("SG.key"),
            "sendgrid_base_url": settings.twilio_base_url,
        }
    )
    async with sorting_office(by_sendgrid) as opened:
        yield opened


async def test_a_mail_bounces_an_hour_later_and_no_other_is_sent_there(
    office: SortingOffice,
    environment: Mapping[str, str],
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chef = office.world.chef
    await office.wants(chef, Channel.EMAIL)
    await office.go_wrong(chef.email, "dead")
    await office.tell(chef)
    assert await office.settled(chef) == [("email", "sent")]
    await office.room.skip(timedelta(hours=1))

    own = {"DATABASE_URL": office.room.settings.database_url}
    async with gateway(environment, monkeypatch, redis_url, **own) as facade:
        bounced = await _bounces(office, facade.http, chef.email)
        again = await _bounces(office, facade.http, chef.email)
        owner = Person(facade.http, chef.email)
        try:
            await owner.log_in(PASSWORD)
            kept = await owner.get("/users/me/notification-preferences")
        finally:
            await owner.leave()
    await office.tell(chef)

    assert bounced == {"status": 200, "body": {"received": 2, "noted": 1}}
    assert again == {"status": 200, "body": {"received": 2, "noted": 0}}
    assert kept["unreachable"] == ["email"]
    (dead,) = await office.deliveries(chef)
    assert (dead.status, dead.error) == ("dead", "SendGrid says bounce 5.1.1")
    assert dead.provider_id
    assert await office.struck(chef.email) == 1


async def _bounces(office: SortingOffice, facade: str, to: str) -> dict[str, Any]:
    """Have the facade told that the newest mail to somebody bounces; what it answers."""
    bounce = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": f"no {to} here"}
    events = [{"event": "processed"}, bounce]
    happened = {"url": facade + PATH, "to": to, "events": events}
    answer = await office.post.post("/_control/sendgrid/events", json=happened)
    said: dict[str, Any] = answer.raise_for_status().json()
    return said
