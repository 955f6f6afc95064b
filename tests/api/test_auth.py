"""Who gets in, and what a token is good for."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from local.cast import Cast
from local.people import Person, Unanswered
from local.world import PASSWORD


async def status_with(play: Cast, token: str) -> int:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        headers = {"Authorization": f"Bearer {token}"}
        return (await http.get("/api/v1/orders", headers=headers)).status_code


def claims(play: Cast, **changes: object) -> dict[str, object]:
    now = datetime.now(UTC)
    good = {
        "sub": str(play.world.customer.user_id),
        "email": play.world.customer.email,
        "role": "customer",
        "iat": now,
        "exp": now + timedelta(minutes=15),
        "iss": "ridendine",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


async def test_a_login_gives_a_token_for_fifteen_minutes_with_the_role(play: Cast) -> None:
    person = Person(play.environment["API_URL"], play.world.chef.email.upper())

    answer = await person.log_in(PASSWORD)

    assert (answer["tokenType"], answer["expiresIn"]) == ("Bearer", 900)
    assert answer["user"]["role"] == "chef"
    seen = jwt.decode(answer["accessToken"], options={"verify_signature": False})
    assert seen["sub"] == str(play.world.chef.user_id)
    assert seen["exp"] - seen["iat"] == 900
    assert await person.get("/chef/orders")
    await person.leave()


@pytest.mark.parametrize("known", [True, False])
async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    play: Cast, known: bool
) -> None:
    email = play.world.customer.email if known else "nobody@example.com"
    person = Person(play.environment["API_URL"], email)

    with pytest.raises(Unanswered) as refused:
        await person.log_in("wrong")

    assert refused.value.problem == {
        "type": "urn:ridendine:problem:bad_credentials",
        "title": "Unauthorized",
        "status": 401,
        "code": "bad_credentials",
        "detail": "no such email address and password",
    }
    await person.leave()


@pytest.mark.parametrize(
    "change",
    [
        {"exp": datetime.now(UTC) - timedelta(seconds=1)},
        {"iss": "somebody-else"},
        {"role": "emperor"},
        {"sub": "not-a-uuid"},
        {"exp": None},
        {"sub": None},
    ],
    ids=["expired", "other issuer", "other role", "no user", "endless", "nobody"],
)
async def test_a_token_that_is_not_ours_as_it_is_gets_nobody_in(
    play: Cast, environment: Mapping[str, str], change: dict[str, object]
) -> None:
    token = jwt.encode(claims(play, **change), environment["JWT_SECRET"], "HS256")

    assert await status_with(play, token) == 401


async def test_a_token_signed_with_another_key_or_not_at_all_gets_nobody_in(play: Cast) -> None:
    forged = jwt.encode(claims(play), "another secret, long enough to be one", "HS256")
    unsigned = jwt.encode(claims(play), None, "none")

    assert await status_with(play, forged) == 401
    assert await status_with(play, unsigned) == 401
    assert await status_with(play, "not.a.token") == 401


async def test_without_a_token_the_answer_says_what_is_missing(play: Cast) -> None:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.get("/api/v1/orders")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthorized"
