"""How accounts are opened, confirmed and found again, and that nobody learns which there are."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlmodel import col
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError

from domain import challenges as rules
from domain.challenges import Purpose
from local.cast import Cast
from local.people import Person, Unanswered
from local.ports import any_free
from local.world import PASSWORD
from schema.tables import Challenge, User, UserProfile
from tests.api import inbox
from tests.api.facade import AWAY, facade
from workflows.connection import connect

VERIFY, RESET, CHANGE = "/verify-email", "/reset-password", "/confirm-email-change"
A_GOOD_ONE = "correct horse battery"


def new_address() -> str:
    return f"new-{uuid4()}@example.com"


def registration(email: str, **changes: object) -> dict[str, Any]:
    form = {"email": email, "password": A_GOOD_ONE, "firstName": "Casey", "lastName": "Morgan"}
    return form | changes


async def registered(play: Cast, **changes: object) -> str:
    email = new_address()
    answer = await play.customer.post("/auth/register", **registration(email, **changes))
    assert answer == {"status": "sent"}
    return email


async def verified(play: Cast, email: str) -> None:
    mail = await inbox.letter(play, email, "Confirm your address")
    await play.customer.post("/auth/verify-email", token=inbox.token_of(mail, VERIFY))


async def logged_in(play: Cast, email: str, password: str = A_GOOD_ONE) -> dict[str, Any]:
    answer: dict[str, Any] = await play.customer.post("/auth/login", email=email, password=password)
    return answer


async def problem_of(asked: Any) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def reset_link(play: Cast, *, number: int = 1) -> str:
    email = play.world.customer.email
    await play.customer.post("/auth/forgot-password", email=email)
    return inbox.token_of(await inbox.letter(play, email, "A new password", number=number), RESET)


async def passed(play: Cast, purpose: Purpose) -> None:
    """All links of a purpose to the customer are too old now."""
    async with play.database.write() as session:
        await session.execute(
            update(Challenge)
            .where(
                col(Challenge.user_id) == play.world.customer.user_id,
                col(Challenge.purpose) == purpose,
            )
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )


@pytest.mark.parametrize("role", ["customer", "chef", "driver"])
async def test_who_registers_confirms_the_address_and_logs_in(play: Cast, role: str) -> None:
    email = await registered(play, role=role, phone="+1 512-555-0123")
    assert await problem_of(logged_in(play, email)) == (401, "bad_credentials")

    await verified(play, email)

    answer = await logged_in(play, email.upper())
    assert answer["user"] | {"id": ""} == {
        "id": "",
        "email": email,
        "role": role,
        "firstName": "Casey",
        "lastName": "Morgan",
    }
    async with play.database.read() as session:
        phone = await session.execute(
            select(col(UserProfile.phone), col(UserProfile.verified_phone)).where(
                col(UserProfile.user_id) == answer["user"]["id"]
            )
        )
        assert tuple(phone.one()) == ("+15125550123", None)


async def test_who_registered_as_a_driver_goes_on_with_his_vehicle(play: Cast) -> None:
    email = await registered(play, role="driver")
    await verified(play, email)
    driver = Person(play.environment["API_URL"], email)
    await driver.log_in(A_GOOD_ONE)
    assert await problem_of(driver.get("/delivery/profile")) == (404, "not_found")

    answer = await driver.post("/delivery/register", vehicle={"type": "bicycle"})

    assert answer["driver"]["email"] == email
    assert (await driver.get("/delivery/profile"))["id"] == answer["driver"]["id"]
    await driver.leave()


async def test_who_registered_as_a_chef_has_no_kitchen_yet(play: Cast) -> None:
    email = await registered(play, role="chef")
    await verified(play, email)
    chef = Person(play.environment["API_URL"], email)
    await chef.log_in(A_GOOD_ONE)

    assert await problem_of(chef.put("/chef/availability", acceptingOrders=True)) == (
        404,
        "not_found",
    )
    await chef.leave()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "admin"),
        ("password", "7 chars"),
        ("password", "x" * 129),
        ("email", "nobody"),
        ("email", "näh@example.com"),
        ("email", f"{'x' * 250}@example.com"),
        ("email", "a@example.com\x00"),
        ("phone", "+1"),
        ("phone", "5125550123"),
        ("phone", "+999999999999999"),
        ("firstName", ""),
        ("firstName", "\x00"),
        ("lastName", "x" * 101),
        ("isVerified", True),
    ],
)
async def test_a_registration_that_cannot_be_is_refused_and_makes_nothing(
    play: Cast, field: str, value: object
) -> None:
    email = new_address()

    with pytest.raises(Unanswered) as refused:
        await play.customer.post("/auth/register", **(registration(email) | {field: value}))

    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert refused.value.problem["errors"][0]["field"] == field
    async with play.database.read() as session:
        assert not await session.scalar(
            select(func.count()).select_from(User).where(col(User.email) == email)
        )


async def answers_to(
    play: Cast, path: str, bodies: list[Mapping[str, Any]]
) -> list[tuple[int, bytes, list[str]]]:
    """Status, body and names of the headers, byte for byte."""
    async with httpx.AsyncClient(base_url=f"{play.environment['API_URL']}/api/v1") as http:
        answers = [await http.post(path, json=body) for body in bodies]
    return [(a.status_code, a.content, sorted(a.headers)) for a in answers]


async def test_nobody_learns_which_addresses_there_are(play: Cast) -> None:
    known, nobody = play.world.customer.email, new_address()
    waiting = await registered(play)
    addresses = [known, nobody, waiting]

    for path, bodies in {
        "/auth/login": [{"email": email, "password": "wrong"} for email in addresses],
        "/auth/forgot-password": [{"email": email} for email in addresses],
        "/auth/resend-verification": [{"email": email} for email in addresses],
        "/auth/register": [registration(email) for email in addresses],
    }.items():
        answers = await answers_to(play, path, bodies)
        assert answers[0] == answers[1] == answers[2], path


async def test_while_temporal_is_away_nobody_learns_it_either_and_nothing_is_written(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = new_address()
    name, address = AWAY["temporal"]
    away = {name: address.format(port=any_free()), "ENGINE_TIMEOUT_SECONDS": "1"}
    before = await rows(play)
    async with facade(environment, monkeypatch, **away) as (_, http):
        for path in ("register", "forgot-password", "resend-verification"):
            seen = []
            for email in (play.world.customer.email, nobody):
                body = registration(email) if path == "register" else {"email": email}
                answer = await http.post(f"/api/v1/auth/{path}", json=body)
                seen.append((answer.status_code, answer.content))
            assert seen[0] == seen[1]
            assert seen[0][0] == 503

    assert await rows(play) == before
    async with play.database.read() as session:
        assert not await session.scalar(select(col(User.id)).where(col(User.email) == nobody))


async def rows(play: Cast) -> int | None:
    async with play.database.read() as session:
        return await session.scalar(
            select(func.count())
            .select_from(Challenge)
            .where(col(Challenge.user_id) == play.world.customer.user_id)
        )


async def test_the_owner_of_an_address_is_told_that_it_has_an_account(play: Cast) -> None:
    email = play.world.customer.email

    await play.customer.post("/auth/register", **registration(email.upper(), role="chef"))

    mail = await inbox.letter(play, email, "You already have an account")
    assert "http" not in mail["words"]
    assert (await logged_in(play, email, PASSWORD))["user"]["role"] == "customer"


async def test_an_address_that_a_stranger_has_registered_belongs_to_who_confirms_it(
    play: Cast,
) -> None:
    email = await registered(play, password="a stranger's password", firstName="Mallory")
    stranger = await inbox.letter(play, email, "Confirm your address")
    await play.customer.post("/auth/register", **registration(email))
    mail = await inbox.letter(play, email, "Confirm your address", number=2)

    first, second = inbox.token_of(stranger, VERIFY), inbox.token_of(mail, VERIFY)
    assert await problem_of(play.customer.post("/auth/verify-email", token=first)) == (
        422,
        "link_not_valid",
    )
    await play.customer.post("/auth/verify-email", token=second)

    # Neither of the two passwords: whose is whose, only the mailbox tells.
    for password in (A_GOOD_ONE, "a stranger's password"):
        refused = await problem_of(logged_in(play, email, password))
        assert refused == (401, "bad_credentials")
    await play.customer.post("/auth/forgot-password", email=email)
    reset = inbox.token_of(await inbox.letter(play, email, "A new password"), RESET)
    await play.customer.post("/auth/reset-password", token=reset, password="now it is mine")
    answer = await logged_in(play, email, "now it is mine")
    assert answer["user"]["firstName"] == "Casey"


async def test_an_address_registered_twice_at_once_is_one_account(play: Cast) -> None:
    email = new_address()

    await asyncio.gather(
        *(
            play.customer.post("/auth/register", **registration(written))
            for written in (email, email.upper(), email)
        )
    )

    async with play.database.read() as session:
        count = await session.scalar(
            select(func.count()).select_from(User).where(func.lower(User.email) == email)
        )
    assert count == 1


async def test_a_link_is_good_for_its_own_purpose_only_and_none_can_be_made_up(
    play: Cast,
) -> None:
    token = await reset_link(play)
    number, mac = token.split(".")

    for forged in (
        token,
        f"{number}.{'0' * 64}",
        f"{uuid4().hex}.{mac}",
        f"{number.upper()}.{mac}",
        number,
        "nonsense",
        "\u00e9",
    ):
        asked = play.customer.post("/auth/verify-email", token=forged)
        assert await problem_of(asked) == (422, "link_not_valid")


async def test_a_forgotten_password_is_replaced_once_and_every_session_ends(play: Cast) -> None:
    email = play.world.customer.email
    session = await logged_in(play, email, PASSWORD)
    token, other = await reset_link(play), await reset_link(play, number=2)

    await play.customer.post("/auth/reset-password", token=token, password=A_GOOD_ONE)

    for used in (token, other):
        asked = play.customer.post("/auth/reset-password", token=used, password="another one")
        assert await problem_of(asked) == (422, "link_not_valid")
    assert await problem_of(logged_in(play, email, PASSWORD)) == (401, "bad_credentials")
    asked = play.customer.post("/auth/refresh", refreshToken=session["refreshToken"])
    assert await problem_of(asked) == (401, "session_ended")
    person = Person(play.environment["API_URL"], email)
    person.use_token(session["accessToken"])
    assert await problem_of(person.get("/orders")) == (401, "unauthorized")
    await person.log_in(A_GOOD_ONE)
    await person.get("/orders")
    await person.leave()
    await inbox.letter(play, email, "Your password has changed")


async def test_a_link_used_many_times_at_once_is_used_once(play: Cast) -> None:
    token = await reset_link(play)

    answers = await asyncio.gather(
        *(
            play.customer.post("/auth/reset-password", token=token, password=f"password {number}")
            for number in range(6)
        ),
        return_exceptions=True,
    )

    assert len([answer for answer in answers if isinstance(answer, dict)]) == 1


async def test_a_link_for_a_password_that_is_too_old_is_refused(play: Cast) -> None:
    token = await reset_link(play)
    await passed(play, Purpose.RESET_PASSWORD)

    asked = play.customer.post("/auth/reset-password", token=token, password=A_GOOD_ONE)

    assert await problem_of(asked) == (422, "link_not_valid")
    await logged_in(play, play.world.customer.email, PASSWORD)


async def test_a_link_for_a_password_confirms_the_address_that_it_went_to(play: Cast) -> None:
    email = await registered(play)
    await play.customer.post("/auth/forgot-password", email=email)
    mail = await inbox.letter(play, email, "A new password")

    await play.customer.post(
        "/auth/reset-password", token=inbox.token_of(mail, RESET), password="another one"
    )

    await logged_in(play, email, "another one")


async def test_a_password_is_changed_by_who_knows_it_and_the_other_sessions_end(
    play: Cast,
) -> None:
    email = play.world.customer.email
    elsewhere = await logged_in(play, email, PASSWORD)
    person = Person(play.environment["API_URL"], email)
    await person.log_in(PASSWORD)

    wrong = person.post("/auth/change-password", password="wrong", newPassword=A_GOOD_ONE)
    assert await problem_of(wrong) == (403, "wrong_password")
    answer = await person.post("/auth/change-password", password=PASSWORD, newPassword=A_GOOD_ONE)

    assert await problem_of(person.get("/orders")) == (401, "unauthorized")
    person.use_token(answer["accessToken"])
    await person.get("/orders")
    for token, over in ((elsewhere["refreshToken"], True), (answer["refreshToken"], False)):
        asked = person.post("/auth/refresh", refreshToken=token)
        assert (await problem_of(asked) if over else (await asked)["tokenType"]) == (
            (401, "session_ended") if over else "Bearer"
        )
    await person.leave()
    await logged_in(play, email)


async def test_an_address_is_changed_by_a_link_to_the_new_one_and_the_old_one_is_told(
    play: Cast,
) -> None:
    old, new = play.world.customer.email, new_address()
    reset = await reset_link(play)

    await play.customer.post("/auth/change-email", newEmail=new, password=PASSWORD)

    await inbox.letter(play, old, "Your address is to change")
    mail = await inbox.letter(play, new, "Confirm your new address")
    await logged_in(play, old, PASSWORD)
    token = inbox.token_of(mail, CHANGE)
    await play.customer.post("/auth/confirm-email-change", token=token)
    assert (await logged_in(play, new, PASSWORD))["user"]["email"] == new
    assert await problem_of(logged_in(play, old, PASSWORD)) == (401, "bad_credentials")
    for path, body in (
        ("confirm-email-change", {"token": token}),
        ("reset-password", {"token": reset, "password": A_GOOD_ONE}),
    ):
        asked = play.customer.post(f"/auth/{path}", **body)
        assert await problem_of(asked) == (422, "link_not_valid")


async def test_who_wants_the_address_of_another_gets_the_same_answer_and_no_address(
    play: Cast,
) -> None:
    taken, free = play.world.chef.email, new_address()

    answers = [
        await play.customer.post("/auth/change-email", newEmail=email, password=PASSWORD)
        for email in (taken, free)
    ]

    assert answers[0] == answers[1]
    await inbox.letter(play, taken, "You already have an account")
    assert [got["subject"] for got in await inbox.letters(play, taken)] == [
        "You already have an account"
    ]
    wrong = play.customer.post("/auth/change-email", newEmail=free, password="wrong")
    assert await problem_of(wrong) == (403, "wrong_password")


async def test_an_address_that_another_has_got_meanwhile_is_not_given_twice(play: Cast) -> None:
    new = new_address()
    await play.customer.post("/auth/change-email", newEmail=new, password=PASSWORD)
    mail = await inbox.letter(play, new, "Confirm your new address")
    await play.chef.post("/auth/change-email", newEmail=new, password=PASSWORD)
    another = await inbox.letter(play, new, "Confirm your new address", number=2)

    answers = await asyncio.gather(
        *(
            play.customer.post("/auth/confirm-email-change", token=inbox.token_of(got, CHANGE))
            for got in (mail, another)
        ),
        return_exceptions=True,
    )

    codes = [getattr(answer, "code", "done") for answer in answers]
    assert sorted(codes) == ["done", "email_taken"]


async def test_mail_that_cannot_be_sent_for_a_while_is_sent_once(play: Cast) -> None:
    email = new_address()
    await inbox.refuse(play, email, times=3)

    await play.customer.post("/auth/register", **registration(email))

    mail = await inbox.letter(play, email, "Confirm your address")
    assert await inbox.refused(play, email) == 3
    await play.customer.post("/auth/verify-email", token=inbox.token_of(mail, VERIFY))
    assert len(await inbox.letters(play, email)) == 1
    # A letter has one Message-ID however often it is sent.
    challenge = rules.read_link_token(
        play.environment["JWT_SECRET"], inbox.token_of(mail, VERIFY), Purpose.VERIFY_EMAIL
    )
    assert mail["message_id"].startswith(f"<{challenge}@")


async def test_mail_to_an_address_that_cannot_be_is_given_up(play: Cast) -> None:
    email = new_address()
    await inbox.refuse(play, email, times=5, for_good=True)

    await play.customer.post("/auth/register", **registration(email))

    client = await connect(play.environment)
    handle = client.get_workflow_handle(f"letter-{await challenge_to(play, email)}")
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert await inbox.refused(play, email) == 1


async def test_what_a_letter_says_and_to_whom_it_goes_is_in_no_history(play: Cast) -> None:
    email = new_address()
    await inbox.refuse(play, email, times=1)
    await play.customer.post("/auth/register", **registration(email))
    token = inbox.token_of(await inbox.letter(play, email, "Confirm your address"), VERIFY)

    client = await connect(play.environment)
    handle = client.get_workflow_handle(f"letter-{await challenge_to(play, email)}")
    await handle.result()
    history = await handle.fetch_history()

    started = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    assert any(event.event_type == started for event in history.events)
    written = history.to_json()
    for secret in (email, token, token.split(".")[1], "Casey"):
        assert secret not in written


async def challenge_to(play: Cast, email: str) -> str:
    async with play.database.read() as session:
        found = await session.scalar(
            select(col(Challenge.id)).where(col(Challenge.sent_to) == email)
        )
    return str(found)


async def test_nobody_is_sent_nothing_and_his_address_is_written_nowhere(play: Cast) -> None:
    nobody = new_address()

    await play.customer.post("/auth/forgot-password", email=nobody)
    await play.customer.post("/auth/forgot-password", email=play.world.customer.email)

    await inbox.letter(play, play.world.customer.email, "A new password")
    assert await inbox.letters(play, nobody) == []
    async with play.database.read() as session:
        assert not await session.scalar(
            select(func.count()).select_from(Challenge).where(col(Challenge.sent_to) == nobody)
        )


async def test_asking_for_links_again_and_again_is_slowed_down(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(environment, monkeypatch) as (_, http):
        for email in (play.world.customer.email, new_address()):
            answers = [
                await http.post("/api/v1/auth/forgot-password", json={"email": email})
                for _ in range(6)
            ]
            assert [answer.status_code for answer in answers] == [202] * 5 + [429]
            assert answers[5].headers["retry-after"]


async def test_a_phone_is_proven_by_the_code_of_the_last_sms(play: Cast) -> None:
    phone = f"+1512{uuid4().int % 10**7:07d}"
    nothing = play.customer.post("/auth/send-otp")
    assert await problem_of(nothing) == (422, "no_phone")
    await play.customer.post("/auth/send-otp", phone=phone)
    first = await inbox.code(play, phone)
    await play.customer.post("/auth/send-otp", phone=phone)
    second = await inbox.code(play, phone, number=2)

    if first != second:
        asked = play.customer.post("/auth/verify-otp", code=first)
        assert await problem_of(asked) == (422, "wrong_code")
    await play.customer.post("/auth/verify-otp", code=second)

    asked = play.customer.post("/auth/verify-otp", code=second)
    assert await problem_of(asked) == (409, "no_code")
    assert await phones(play) == (phone, phone)


async def phones(play: Cast) -> tuple[str | None, str | None]:
    async with play.database.read() as session:
        found = await session.execute(
            select(col(UserProfile.phone), col(UserProfile.verified_phone)).where(
                col(UserProfile.user_id) == play.world.customer.user_id
            )
        )
        phone, verified = found.one()
        return phone, verified


async def test_a_code_can_be_guessed_five_times(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = f"+1512{uuid4().int % 10**7:07d}"
    await play.customer.post("/auth/send-otp", phone=phone)
    right = await inbox.code(play, phone)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    headers = {"Authorization": play.customer.authorization}

    async with facade(environment, monkeypatch, ATTEMPTS_FREE="100") as (_, http):

        async def guess(code: str) -> str:
            body = {"code": code}
            answer = await http.post("/api/v1/auth/verify-otp", json=body, headers=headers)
            return str(answer.json().get("code", "done"))

        guesses = await asyncio.gather(*(guess(wrong) for _ in range(8)))
        last = await guess(right)

    assert sorted(guesses) == ["no_code"] * 3 + ["wrong_code"] * 5
    assert last == "no_code"
    assert await phones(play) == (None, None)


async def test_an_expired_code_is_refused(play: Cast) -> None:
    phone = f"+1512{uuid4().int % 10**7:07d}"
    await play.customer.post("/auth/send-otp", phone=phone)
    code = await inbox.code(play, phone)
    await passed(play, Purpose.VERIFY_PHONE)

    assert await problem_of(play.customer.post("/auth/verify-otp", code=code)) == (409, "no_code")


async def test_sms_that_cannot_be_sent_for_a_while_is_sent_later(play: Cast) -> None:
    phone = f"+1512{uuid4().int % 10**7:07d}"
    await inbox.refuse(play, phone, times=2)

    await play.customer.post("/auth/send-otp", phone=phone)

    await play.customer.post("/auth/verify-otp", code=await inbox.code(play, phone))
    assert await inbox.refused(play, phone) == 2


async def test_where_there_is_no_way_to_send_an_sms_that_is_said(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Authorization": play.customer.authorization}
    async with facade(environment, monkeypatch, TWILIO_ACCOUNT_SID="") as (_, http):
        answer = await http.post("/api/v1/auth/send-otp", json={}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "sms_not_available")
