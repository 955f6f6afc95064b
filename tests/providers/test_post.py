"""What becomes of mail and SMS when they are not taken, and that no error tells whose they were."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from local.ports import any_free
from providers.mail import Mail
from providers.sending import Away, Refused
from providers.sms import Sms


@pytest.fixture
def address() -> str:
    return f"somebody-{uuid4()}@example.com"


@pytest.fixture
def number() -> str:
    return f"+1512{uuid4().int % 10**7:07d}"


@pytest.fixture
async def office(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=environment["INBOX_URL"]) as http:
        yield http


def mail(url: str) -> Mail:
    return Mail(url, sender="RideNDine <no-reply@example.com>", timeout_seconds=2)


@pytest.fixture
async def sms(environment: Mapping[str, str]) -> AsyncIterator[Sms]:
    made = Sms(
        account_sid="ACtest",
        auth_token="secret",
        sender="+15125550100",
        base_url=environment["TWILIO_BASE_URL"],
        timeout_seconds=2,
    )
    yield made
    await made.aclose()


async def test_a_mail_arrives_as_it_was_written(
    environment: Mapping[str, str], office: httpx.AsyncClient, address: str
) -> None:
    words = "Grüße,\n\n.a line that begins with a dot\n" + "x" * 2000 + "\n"

    await mail(environment["SMTP_URL"]).send("key-1", address, "Über uns", words)

    (got,) = (await office.get("/inbox", params={"to": address})).json()
    assert (got["subject"], got["words"]) == ("Über uns", words)
    assert got["sender"] == "RideNDine <no-reply@example.com>"
    assert got["message_id"] == "<key-1@example.com>"


NOT_TAKEN = pytest.mark.parametrize(
    ("kind", "error", "is_dead"),
    [("dead", Refused, True), ("refused", Refused, False), ("down", Away, False)],
)


async def go_wrong(office: httpx.AsyncClient, to: str, kind: str) -> None:
    fault = {"to": to, "kind": kind, "times": 1}
    (await office.post("/_control/faults", json=fault)).raise_for_status()


@NOT_TAKEN
async def test_a_mail_that_is_not_taken(
    environment: Mapping[str, str],
    office: httpx.AsyncClient,
    address: str,
    kind: str,
    error: type[Exception],
    is_dead: bool,
) -> None:
    await go_wrong(office, address, kind)

    with pytest.raises(error) as refused:
        await mail(environment["SMTP_URL"]).send("key", address, "subject", "words")

    assert getattr(refused.value, "is_dead", False) is is_dead
    assert address not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_a_mail_whose_answer_is_lost_is_known_by_its_key_when_it_comes_again(
    environment: Mapping[str, str], office: httpx.AsyncClient, address: str
) -> None:
    await go_wrong(office, address, "drop_after")
    with pytest.raises(Away) as lost:
        await mail(environment["SMTP_URL"]).send(
            "once", address, "subject", "words", "<p>words</p>"
        )
    await mail(environment["SMTP_URL"]).send("once", address, "subject", "words", "<p>words</p>")

    (got,) = (await office.get("/inbox", params={"to": address})).json()
    assert lost.value.may_have_worked
    assert got["copies"] == 2
    assert (got["words"], got["html"]) == ("words\n", "<p>words</p>\n")


async def test_a_mail_server_that_is_away_or_not_named(address: str) -> None:
    for url in (f"smtp://127.0.0.1:{any_free()}", ""):
        with pytest.raises(Away) as away:
            await mail(url).send("key", address, "subject", "words")
        assert address not in str(away.value)


async def test_an_sms_arrives(office: httpx.AsyncClient, sms: Sms, number: str) -> None:
    await sms.send(number, "471100 is your code")

    (got,) = (await office.get("/inbox", params={"to": number})).json()
    assert (got["words"], got["sender"]) == ("471100 is your code", "+15125550100")


@NOT_TAKEN
async def test_an_sms_that_is_not_taken(
    office: httpx.AsyncClient,
    sms: Sms,
    number: str,
    kind: str,
    error: type[Exception],
    is_dead: bool,
) -> None:
    await go_wrong(office, number, kind)

    with pytest.raises(error) as refused:
        await sms.send(number, "words")

    assert getattr(refused.value, "is_dead", False) is is_dead
    assert number not in str(refused.value)


async def test_an_sms_whose_answer_is_lost_is_found_by_its_words(
    office: httpx.AsyncClient, sms: Sms, number: str
) -> None:
    began = datetime.now(UTC)
    await go_wrong(office, number, "drop_after")
    with pytest.raises(Away) as lost:
        await sms.send(number, "471100 is your code")

    assert lost.value.may_have_worked
    found = await sms.sent(number, "471100 is your code", began)
    assert found
    assert await sms.sent(number, "471100 is your code", began, {found}) is None
    assert await sms.sent(number, "something else", began) is None
    assert await sms.sent(number, "471100 is your code", began + timedelta(hours=1)) is None
