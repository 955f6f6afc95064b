"""SendGrid's Event Webhook: believed with its signature alone, and about mails of ours only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from uuid_utils.compat import uuid7

from api.limits import MOST_BODY_BYTES
from api.routes.sendgrid_events import MOST_BYTES
from domain.delivering import DeliveryStatus, Way
from local.cast import Cast
from providers.sendgrid_events import BadSendGridKey
from schema.tables import Notification, NotificationDelivery
from schema.tables.columns import now
from tests.api.facade import facade
from tests.sendgrid import PATH, SIGNATURE, TIMESTAMP, Console, bounce, event

S = DeliveryStatus
LOG = "/admin/notifications/deliveries"
PREFERENCES = "/users/me/notification-preferences"


@dataclass
class Account:
    """An account at SendGrid by which the facade's mails go, and that tells it of them."""

    play: Cast
    http: httpx.AsyncClient
    console: Console = field(default_factory=Console)

    async def mail(self, **values: Any) -> str:
        """Send the customer a mail; its key."""
        user_id = self.play.world.customer.user_id
        told = Notification(
            id=uuid7(),
            business_key=f"test:{uuid4()}",
            user_id=user_id,
            type="order:status_update",
            title="Told",
            message="Told.",
        )
        said = {"channel": Way.EMAIL, "status": S.SENT, "provider_id": "its name", **values}
        sent = NotificationDelivery(
            id=uuid7(),
            notification_id=told.id,
            due_at=now(),
            good_until=now(),
            handed_over_at=now(),
            started_at=now(),
            attempts=1,
            sent_at=now(),
            **said,
        )
        async with self.play.database.write() as session:
            session.add(told)
            await session.flush()
            session.add(sent)
        return str(sent.id)

    async def tell(self, *events: object) -> dict[str, int]:
        """Tell of events; what is answered."""
        answer = await self.console.post(self.http, list(events))
        assert answer.status_code == 200, answer.text
        said: dict[str, int] = answer.json()
        return said

    async def log(self, **wanted: str) -> dict[str, tuple[str, str | None]]:
        """Status and error of the customer's mails, by their keys."""
        user_id = str(self.play.world.customer.user_id)
        found = await self.play.admin.get(LOG, userId=user_id, **wanted)
        return {row["id"]: (row["status"], row["error"]) for row in found["data"]}

    async def unreachable(self) -> list[str]:
        found: list[str] = (await self.play.customer.get(PREFERENCES))["unreachable"]
        return found


@pytest.fixture
async def account(play: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    console = Console()
    keyed = {"SENDGRID_WEBHOOK_KEY": console.key}
    async with facade(play.environment, monkeypatch, **keyed) as (_, http):
        yield Account(play, http, console)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_what_became_of_mails_is_written_down_once(account: Account) -> None:
    email = account.play.world.customer.email
    arrived, bounced, waiting = [await account.mail() for _ in range(3)]
    events = (
        event(arrived, email, "processed"),
        event(arrived, email, "delivered", response="250 OK"),
        bounce(bounced, email.upper()),
        event(waiting, email, "deferred", attempt="3"),
    )

    assert await account.tell(*events) == {"received": 4, "noted": 2}
    assert await account.tell(*reversed(events)) == {"received": 4, "noted": 0}

    assert await account.log() == {
        arrived: ("delivered", None),
        bounced: ("dead", "SendGrid says bounce 5.1.1"),
        waiting: ("sent", None),
    }
    assert list(await account.log(status="delivered")) == [arrived]
    assert await account.unreachable() == ["email"]


async def test_what_is_about_nothing_of_ours_is_left_alone(account: Account) -> None:
    email = account.play.world.customer.email
    sent, pushed = await account.mail(), await account.mail(channel=Way.SMS)
    others = [
        bounce("letter-1", email),
        bounce(str(uuid4()), email),
        bounce(f"{sent}-1", email),
        bounce(pushed, email),
        {"event": "bounce", "type": "bounce", "email": email},
        {**bounce(sent, email), "type": "blocked"},
        {**bounce(sent, email), "key": 7},
        {**bounce(sent, email), "key": None},
        event(sent, email, "group_unsubscribe"),
        event(sent, email, "of tomorrow", type={"more": []}),
        *({}, [], None, "bounce", 7),
    ]

    assert await account.tell(*others) == {"received": len(others), "noted": 0}
    assert await account.tell() == {"received": 0, "noted": 0}
    assert {status for status, _ in (await account.log()).values()} == {"sent"}
    assert await account.unreachable() == []
    # What is not understood does not hold up what is.
    assert (await account.tell(*others, bounce(sent, email)))["noted"] == 1


async def test_another_address_of_his_is_not_dead(account: Account) -> None:
    sent = await account.mail()

    assert (await account.tell(bounce(sent, "before@example.com\x00")))["noted"] == 1

    assert await account.log() == {sent: ("dead", "SendGrid says bounce 5.1.1")}
    assert await account.unreachable() == []


async def test_what_has_arrived_can_be_sent_again_and_has_another_key_then(
    account: Account,
) -> None:
    email = account.play.world.customer.email
    sent = await account.mail()
    await account.tell(event(sent, email, "delivered"))

    resent = await account.play.admin.post(f"{LOG}/{sent}/resend", reason="he has deleted it")

    assert (resent["status"], resent["resends"]) == ("pending", 1)
    assert (await account.tell(bounce(sent, email)))["noted"] == 0
    assert await account.unreachable() == []


@pytest.mark.parametrize(
    "forgery",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "nonsense"},
        {SIGNATURE: Console().sign(b"[]", "1")},
        {TIMESTAMP: ""},
        {TIMESTAMP: "1769817601"},
    ],
    ids=["none", "nonsense", "of somebody else", "no time", "another time"],
)
async def test_what_sendgrid_has_not_signed_is_refused_and_changes_nothing(
    account: Account, forgery: dict[str, str]
) -> None:
    sent = await account.mail()
    events = [bounce(sent, account.play.world.customer.email)]

    answer = await account.console.post(account.http, events, **forgery)

    assert refusal(answer) == (400, "bad_signature")
    assert await account.log() == {sent: ("sent", None)}


async def test_a_signature_that_is_not_ascii_is_none(account: Account) -> None:
    headers = {SIGNATURE: "\u00fc".encode("latin-1"), TIMESTAMP: b"\xb2"}
    answer = await account.http.post(PATH, content=b"[]", headers=headers)
    assert refusal(answer) == (400, "bad_signature")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[", b"\xff", b"[" * 100_000, b'["\\ud800"]']
)
async def test_what_is_no_list_is_refused(account: Account, body: bytes) -> None:
    assert refusal(await account.console.post(account.http, body)) == (400, "bad_event")


async def test_as_much_comes_at_once_as_sendgrid_sends_and_no_more(account: Account) -> None:
    email = account.play.world.customer.email
    sent = await account.mail()
    many = [event(str(uuid4()), email, "delivered") for _ in range(5000)]
    many += [event(sent, email, "delivered")] * 2
    spaces = b" " * (MOST_BYTES + 1)

    told = await account.tell(*many)
    answer = await account.console.post(account.http, spaces)
    unsigned = await account.http.post(PATH, content=spaces)

    assert len(account.console.body(many)) > MOST_BODY_BYTES
    assert told == {"received": 5002, "noted": 1}
    assert refusal(answer) == (413, "body_too_large")
    assert refusal(unsigned) == (400, "bad_signature")


async def test_without_a_key_nobodys_signature_is_good(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(play.environment, monkeypatch, SENDGRID_WEBHOOK_KEY="") as (_, http):
        assert refusal(await Console().post(http, [])) == (503, "not_set_up")


async def test_a_facade_does_not_begin_with_a_key_that_is_none(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSendGridKey):
        async with facade(play.environment, monkeypatch, SENDGRID_WEBHOOK_KEY="none"):
            pass
