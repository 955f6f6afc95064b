"""SendGrid, pushes and the ops webhook: what arrives, what does not, and what is dead."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.ports import any_free
from providers.fcm import Fcm, ServiceAccount
from providers.ops_webhook import OpsWebhook
from providers.push import Push
from providers.sendgrid import SendGrid
from providers.sending import Away, Refused
from providers.web_push import Subscription, WebPush

PUSH = Push(
    key="key-1",
    title="Order RND-1",
    line="Your food is on its way.",
    urgent=True,
    good_for=timedelta(minutes=5),
    data={"orderId": "1"},
)

NOT_TAKEN = pytest.mark.parametrize(
    ("kind", "error", "is_dead"),
    [
        ("dead", Refused, True),
        ("refused", Refused, False),
        ("busy", Away, False),
        ("down", Away, False),
        ("drop_before", Away, False),
    ],
)


@pytest.fixture
async def office(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=environment["INBOX_URL"]) as http:
        yield http


@pytest.fixture
async def fcm(environment: Mapping[str, str]) -> AsyncIterator[Fcm]:
    account = ServiceAccount.model_validate_json(environment["FCM_SERVICE_ACCOUNT"])
    made = Fcm(account, base_url=environment["FCM_BASE_URL"], timeout_seconds=2)
    yield made
    await made.aclose()


@pytest.fixture
async def web_push(environment: Mapping[str, str]) -> AsyncIterator[WebPush]:
    made = WebPush(
        environment["VAPID_PRIVATE_KEY"],
        subject="mailto:ops@example.com",
        private_targets=True,
        timeout_seconds=2,
    )
    yield made
    await made.aclose()


async def subscription(office: httpx.AsyncClient) -> Subscription:
    made = (await office.post("/_control/subscriptions")).json()
    return Subscription(made["endpoint"], **made["keys"])


async def go_wrong(office: httpx.AsyncClient, to: str, kind: str) -> None:
    fault = {"to": to, "kind": kind, "times": 1}
    (await office.post("/_control/faults", json=fault)).raise_for_status()


async def got(office: httpx.AsyncClient, to: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await office.get("/inbox", params={"to": to})).json()
    return found


async def test_a_push_reaches_an_app_once_however_often_it_is_sent(
    office: httpx.AsyncClient, fcm: Fcm
) -> None:
    token = uuid4().hex
    await go_wrong(office, token, "drop_after")
    with pytest.raises(Away) as lost:
        await fcm.send(token, PUSH)
    name = await fcm.send(token, PUSH)

    (push,) = await got(office, token)
    assert lost.value.may_have_worked
    assert name.startswith("projects/ridendine-local/messages/")
    assert (push["kind"], push["subject"], push["words"]) == ("push", PUSH.title, PUSH.line)
    assert push["copies"] == 2


@NOT_TAKEN
async def test_a_push_to_an_app_that_is_not_taken(
    office: httpx.AsyncClient, fcm: Fcm, kind: str, error: type[Exception], is_dead: bool
) -> None:
    token = uuid4().hex
    await go_wrong(office, token, kind)

    with pytest.raises(error) as refused:
        await fcm.send(token, PUSH)

    assert getattr(refused.value, "is_dead", False) is is_dead
    assert token not in str(refused.value)
    assert await got(office, token) == []


async def test_a_key_that_google_does_not_know_is_not_the_devices_fault(
    environment: Mapping[str, str],
) -> None:
    account = json.loads(environment["FCM_SERVICE_ACCOUNT"]) | {"client_email": "other@example.com"}
    fcm = Fcm(
        ServiceAccount.model_validate(account),
        base_url=environment["FCM_BASE_URL"],
        timeout_seconds=2,
    )
    with pytest.raises(Away):
        await fcm.send("token", PUSH)
    await fcm.aclose()


async def test_a_push_reaches_a_browser_and_only_it_can_read_it(
    office: httpx.AsyncClient, web_push: WebPush
) -> None:
    to = await subscription(office)
    await web_push.send(to, PUSH)

    (push,) = await got(office, to.endpoint)
    assert (push["kind"], push["subject"], push["words"]) == ("web_push", PUSH.title, PUSH.line)


@NOT_TAKEN
async def test_a_push_to_a_browser_that_is_not_taken(
    office: httpx.AsyncClient, web_push: WebPush, kind: str, error: type[Exception], is_dead: bool
) -> None:
    to = await subscription(office)
    await go_wrong(office, to.endpoint, kind)

    with pytest.raises(error) as refused:
        await web_push.send(to, PUSH)

    assert getattr(refused.value, "is_dead", False) is is_dead
    assert to.endpoint not in str(refused.value)
    assert await got(office, to.endpoint) == []


async def test_what_is_no_subscription_is_dead(
    office: httpx.AsyncClient, web_push: WebPush
) -> None:
    to = await subscription(office)
    for keys in ({"p256dh": "AAAA"}, {"auth": "x"}, {"p256dh": "ñ" * 87}):
        bad = Subscription(
            **{"endpoint": to.endpoint, "p256dh": to.p256dh, "auth": to.auth, **keys}
        )
        with pytest.raises(Refused) as refused:
            await web_push.send(bad, PUSH)
        assert refused.value.is_dead
    assert await got(office, to.endpoint) == []


async def test_what_is_no_public_address_is_dead_and_not_called(
    environment: Mapping[str, str], office: httpx.AsyncClient
) -> None:
    to = await subscription(office)
    careful = WebPush(
        environment["VAPID_PRIVATE_KEY"],
        subject="mailto:ops@example.com",
        private_targets=False,
        timeout_seconds=2,
    )
    for endpoint in (
        to.endpoint,
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "gopher://x",
        "https://",
    ):
        with pytest.raises(Refused) as refused:
            await careful.send(replace(to, endpoint=endpoint), PUSH)
        assert refused.value.is_dead
    await careful.aclose()
    assert await got(office, to.endpoint) == []


async def test_a_mail_by_sendgrid(
    environment: Mapping[str, str], office: httpx.AsyncClient
) -> None:
    sender = "RideNDine <no-reply@example.com>"
    address = f"{uuid4()}@example.com"
    async with AsyncExitStack() as stack:
        sendgrid = SendGrid(
            "SG.key", sender=sender, base_url=environment["INBOX_URL"], timeout_seconds=2
        )
        stack.push_async_callback(sendgrid.aclose)
        assert await sendgrid.send("key-1", address, "Über uns", "words", "<p>words</p>")

        (mail,) = await got(office, address)
        assert (mail["subject"], mail["words"], mail["html"]) == (
            "Über uns",
            "words",
            "<p>words</p>",
        )
        assert mail["message_id"] == "<key-1@example.com>"
        for kind, error in (("refused", Refused), ("busy", Away), ("drop_after", Away)):
            await go_wrong(office, address, kind)
            with pytest.raises(error) as refused:
                await sendgrid.send("key-1", address, "Über uns", "words")
            assert address not in str(refused.value)
        (mail,) = await got(office, address)
        assert mail["copies"] == 2


async def test_operators_are_told_by_a_webhook(
    environment: Mapping[str, str], office: httpx.AsyncClient
) -> None:
    name = uuid4().hex
    webhook = OpsWebhook(f"{environment['INBOX_URL']}/slack/{name}", timeout_seconds=2)
    await webhook.post("A payout failed")
    for kind, error in (("dead", Refused), ("busy", Away), ("drop_before", Away)):
        await go_wrong(office, name, kind)
        with pytest.raises(error):
            await webhook.post("again")
    await webhook.aclose()
    nobody = OpsWebhook(f"http://127.0.0.1:{any_free()}/", timeout_seconds=2)
    with pytest.raises(Away) as away:
        await nobody.post("words")
    await nobody.aclose()

    assert not away.value.may_have_worked
    assert [(one["kind"], one["words"]) for one in await got(office, name)] == [
        ("webhook", "A payout failed")
    ]
