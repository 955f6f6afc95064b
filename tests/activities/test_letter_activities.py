"""A letter is sent while it is of use, and a row that never comes is not waited for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.letters import LetterActivities, Post
from domain.challenges import Purpose
from domain.languages import Language
from local import world as worlds
from providers.mail import Mail
from providers.sms import Sms
from schema.database import Database
from schema.messages.letters import Letter
from schema.queries import profiles
from schema.tables import Challenge
from schema.tables.columns import now
from settings import Settings


@pytest.fixture
async def letters(settings: Settings, database: Database) -> AsyncIterator[LetterActivities]:
    sms = Sms(account_sid="AC", auth_token="", sender="", base_url="http://x", timeout_seconds=1)
    mail = Mail(settings.smtp_url.get_secret_value(), sender="us@example.com", timeout_seconds=2)
    yield LetterActivities(database, Post(mail, sms, "https://app.example.com", "secret"))
    await sms.aclose()


async def send(letters: LetterActivities, challenge_id: UUID, asked: timedelta) -> None:
    """As the worker would, for a letter that was asked for so long ago."""
    room = ActivityEnvironment()
    room.info = replace(room.info, scheduled_time=now() - asked)
    letter = Letter(challenge_id=challenge_id, good_until=now() + timedelta(days=1))
    await room.run(letters.send_letter, letter)


async def received(settings: Settings, to: str) -> int:
    assert settings.twilio_base_url
    async with httpx.AsyncClient(base_url=settings.twilio_base_url) as http:
        return len((await http.get("/inbox", params={"to": to})).json())


async def test_a_letter_that_is_not_written_down_yet_is_asked_for_again_for_a_minute(
    letters: LetterActivities,
) -> None:
    with pytest.raises(ApplicationError) as not_yet:
        await send(letters, uuid4(), timedelta(seconds=1))
    assert not not_yet.value.non_retryable

    await send(letters, uuid4(), timedelta(seconds=61))


async def test_a_letter_is_sent_once_unless_it_is_of_no_use(
    settings: Settings, database: Database, letters: LetterActivities
) -> None:
    customer = (await worlds.settle(database)).customer
    to = f"{uuid4()}@example.com"
    letter = Challenge(
        user_id=customer.user_id,
        purpose=Purpose.VERIFY_EMAIL,
        sent_to=to,
        expires_at=now() + timedelta(hours=1),
    )
    of_no_use = [
        Challenge(**letter.model_dump(exclude={"id"}) | changes)
        for changes in (
            {"expires_at": now() - timedelta(seconds=1)},
            {"used_at": now()},
            {"user_id": None},
        )
    ]
    async with database.write() as session:
        session.add_all([letter, *of_no_use])

    for row in (letter, letter, *of_no_use):
        await send(letters, row.id, timedelta())

    assert await received(settings, to) == 1


async def test_a_letter_is_in_the_language_of_its_reader_and_has_a_page(
    settings: Settings, database: Database, letters: LetterActivities
) -> None:
    customer = (await worlds.settle(database)).customer
    to = f"{uuid4()}@example.com"
    letter = Challenge(
        user_id=customer.user_id,
        purpose=Purpose.RESET_PASSWORD,
        sent_to=to,
        expires_at=now() + timedelta(hours=1),
    )
    async with database.write() as session:
        session.add(letter)
        await profiles.speak(session, customer.user_id, Language.ES)

    await send(letters, letter.id, timedelta())

    assert settings.twilio_base_url
    async with httpx.AsyncClient(base_url=settings.twilio_base_url) as http:
        [got] = (await http.get("/inbox", params={"to": to})).json()
    assert got["subject"] == "Una contraseña nueva"
    assert "https://app.example.com/reset-password?token=" in got["words"]
    assert 'href="https://app.example.com/reset-password?token=' in got["html"]
