"""How people stay logged in, and how that ends."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import select, text, update
from sqlmodel import col

from local.cast import Cast
from local.people import Person, Unanswered
from local.ports import any_free
from local.world import PASSWORD
from schema.tables import RefreshToken, User
from tests.api.facade import AWAY, facade


async def logged_in(play: Cast, password: str = PASSWORD) -> dict[str, Any]:
    """A session of the customer's own, on another device."""
    email = play.world.customer.email
    answer: dict[str, Any] = await play.customer.post("/auth/login", email=email, password=password)
    return answer


async def refreshed(play: Cast, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = await play.customer.post("/auth/refresh", refreshToken=token)
    return answer


async def is_over(play: Cast, token: str) -> bool:
    try:
        await refreshed(play, token)
    except Unanswered as refused:
        return (refused.status, refused.code) == (401, "session_ended")
    return False


async def gets_in(play: Cast, answer: Mapping[str, Any]) -> bool:
    person = Person(play.environment["API_URL"], "somebody")
    person.use_token(answer["accessToken"])
    try:
        await person.get("/orders")
    except Unanswered as refused:
        return (refused.status, refused.code) != (401, "unauthorized")
    finally:
        await person.leave()
    return True


async def test_a_refresh_token_is_exchanged_for_the_next_two(play: Cast) -> None:
    first = await logged_in(play)

    second = await refreshed(play, first["refreshToken"])
    third = await refreshed(play, second["refreshToken"])

    assert first["refreshExpiresIn"] == 7 * 24 * 3600
    assert len({a["refreshToken"] for a in (first, second, third)}) == 3
    assert (third["user"], third["expiresIn"]) == (first["user"], 900)
    assert await gets_in(play, third)


async def test_only_digests_of_refresh_tokens_are_kept(play: Cast) -> None:
    token = (await logged_in(play))["refreshToken"]

    async with play.database.read() as session:
        rows = await session.execute(
            text("SELECT t::text FROM refresh_tokens t WHERE user_id = :who"),
            {"who": play.world.customer.user_id},
        )
        written = [row[0] for row in rows]

    assert len(written) == 1
    assert token not in written[0]
    assert hashlib.sha256(token.encode()).hexdigest() in written[0]


async def test_a_refresh_token_that_comes_twice_ends_its_family_and_no_other(play: Cast) -> None:
    first, elsewhere = await logged_in(play), await logged_in(play)
    second = await refreshed(play, first["refreshToken"])
    third = await refreshed(play, second["refreshToken"])

    assert await is_over(play, first["refreshToken"])

    assert await is_over(play, third["refreshToken"])
    # Whoever has the access token of the family, thief or not, is out at once.
    assert not await gets_in(play, third)
    other = await refreshed(play, elsewhere["refreshToken"])
    assert await gets_in(play, other)


async def test_a_refresh_token_sent_many_times_at_once_is_exchanged_once_and_ends_its_family(
    play: Cast,
) -> None:
    token = (await logged_in(play))["refreshToken"]

    answers = await asyncio.gather(
        *(refreshed(play, token) for _ in range(8)), return_exceptions=True
    )

    got = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert (len(got), len(refused)) == (1, 7)
    assert await is_over(play, got[0]["refreshToken"])


@pytest.mark.parametrize("token", ["x", "A" * 43])
async def test_a_refresh_token_that_nobody_was_given_is_refused(play: Cast, token: str) -> None:
    assert await is_over(play, token)


async def test_an_expired_refresh_token_is_refused(play: Cast) -> None:
    token = (await logged_in(play))["refreshToken"]
    async with play.database.write() as session:
        await session.execute(
            update(RefreshToken)
            .where(col(RefreshToken.user_id) == play.world.customer.user_id)
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )

    assert await is_over(play, token)


async def test_logging_out_ends_one_session_and_everywhere_all_of_them(play: Cast) -> None:
    here, there, elsewhere = [await logged_in(play) for _ in range(3)]

    assert await play.customer.post("/auth/logout", refreshToken=here["refreshToken"])

    assert await is_over(play, here["refreshToken"])
    there = await refreshed(play, there["refreshToken"])
    assert await gets_in(play, there)

    await play.customer.post("/auth/logout", refreshToken=there["refreshToken"], everywhere=True)

    assert await is_over(play, there["refreshToken"])
    assert await is_over(play, elsewhere["refreshToken"])
    for answer in (here, there, elsewhere):
        assert not await gets_in(play, answer)


async def test_after_logging_out_everywhere_a_new_login_is_good_at_once(play: Cast) -> None:
    token = (await logged_in(play))["refreshToken"]
    await play.customer.post("/auth/logout", refreshToken=token, everywhere=True)

    assert await gets_in(play, await logged_in(play))


async def test_logging_out_with_a_token_of_nobody_or_twice_is_no_error(play: Cast) -> None:
    token = (await logged_in(play))["refreshToken"]

    for refresh_token in (token, token, "nobody's"):
        assert await play.customer.post("/auth/logout", refreshToken=refresh_token) == {
            "status": "done"
        }


async def test_logging_out_while_refreshing_leaves_nothing_behind(play: Cast) -> None:
    for _ in range(5):
        token = (await logged_in(play))["refreshToken"]

        answer, _ = await asyncio.gather(
            refreshed(play, token),
            play.customer.post("/auth/logout", refreshToken=token),
            return_exceptions=True,
        )

        if isinstance(answer, dict):
            assert await is_over(play, answer["refreshToken"])


async def test_who_is_switched_off_gets_no_further(play: Cast) -> None:
    token = (await logged_in(play))["refreshToken"]
    async with play.database.write() as session:
        await session.execute(
            update(User).where(col(User.id) == play.world.customer.user_id).values(is_active=False)
        )

    assert await is_over(play, token)
    with pytest.raises(Unanswered) as refused:
        await logged_in(play)
    assert refused.value.code == "bad_credentials"


async def test_a_refreshed_token_has_the_role_that_its_owner_has_by_now(play: Cast) -> None:
    first = await logged_in(play)
    await play.customer.post("/delivery/register", vehicle={"type": "bicycle"})

    second = await refreshed(play, first["refreshToken"])

    assert second["user"]["role"] == "driver"


async def test_a_bcrypt_hash_lets_its_owner_in_once_and_is_argon2_from_then_on(play: Cast) -> None:
    # bcrypt of "a world of its own", 10 rounds as in seed 000.
    theirs = "$2b$10$lQe2TkGL90RW7N/6yOZZTewzrFt46DS4RVRHEja2tWn2/YCArDQ92"
    await set_hash(play, theirs)
    with pytest.raises(Unanswered):
        await logged_in(play, "wrong")
    assert await hash_of(play) == theirs

    await logged_in(play)

    upgraded = await hash_of(play)
    assert upgraded.startswith("$argon2id$")
    await logged_in(play)
    assert await hash_of(play) == upgraded


async def test_who_has_no_password_cannot_come_in_by_one(play: Cast) -> None:
    await set_hash(play, "")

    with pytest.raises(Unanswered) as refused:
        await logged_in(play)

    assert refused.value.code == "bad_credentials"


async def test_an_address_that_is_not_verified_is_told_so_only_to_who_knows_the_password(
    play: Cast,
) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(User)
            .where(col(User.id) == play.world.customer.user_id)
            .values(is_verified=False)
        )

    with pytest.raises(Unanswered) as with_it:
        await logged_in(play)
    with pytest.raises(Unanswered) as without:
        await logged_in(play, "wrong")

    assert (with_it.value.status, with_it.value.code) == (401, "bad_credentials")
    assert (without.value.status, without.value.code) == (401, "bad_credentials")


@pytest.mark.parametrize("known", [True, False])
async def test_guessing_is_slowed_down_whether_or_not_there_is_the_account(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    email = play.world.customer.email if known else f"nobody-{play.world.customer.user_id}@x.org"

    async with facade(environment, monkeypatch) as (_, http):

        async def guess(password: str, address: str = email) -> tuple[int, str, str | None]:
            body = {"email": address, "password": password}
            answer = await http.post("/api/v1/auth/login", json=body)
            return answer.status_code, answer.json().get("code"), answer.headers.get("retry-after")

        guesses = [await guess("wrong") for _ in range(5)]
        sixth, right = await guess("wrong"), await guess(PASSWORD, email.upper())
        of_others = await guess(PASSWORD, play.world.chef.email)

    assert guesses == [(401, "bad_credentials", None)] * 5
    for answer in (sixth, right):
        assert answer[:2] == (429, "too_many_attempts")
        assert 1 <= int(answer[2] or 0) <= 15
    assert of_others[0] == 200


async def test_many_guesses_at_once_are_counted_one_by_one(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(environment, monkeypatch) as (_, http):
        body = {"email": play.world.customer.email, "password": "wrong"}
        answers = await asyncio.gather(
            *(http.post("/api/v1/auth/login", json=body) for _ in range(12))
        )

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_a_client_that_tries_many_addresses_is_slowed_down(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {"ATTEMPTS_FREE_TO_CLIENT": "3"}
    redis = environment["REDIS_URL"].rsplit("/", 1)[0] + "/10"
    async with facade(environment, monkeypatch, REDIS_URL=redis, **free) as (app, http):
        await app.state.services.redis.flushdb()

        async def guess(number: int) -> int:
            body = {"email": f"{number}-{play.world.chef.email}", "password": "wrong"}
            return (await http.post("/api/v1/auth/login", json=body)).status_code

        assert [await guess(number) for number in range(4)] == [401, 401, 401, 429]


async def test_a_right_password_forgives_the_wrong_ones_before(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(environment, monkeypatch) as (_, http):
        for password in (["wrong"] * 4 + [PASSWORD]) * 2:
            body = {"email": play.world.chef.email, "password": password}
            answer = await http.post("/api/v1/auth/login", json=body)
            assert answer.status_code == (200 if password == PASSWORD else 401)


async def test_while_redis_is_away_people_come_in_and_stay_in(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, address = AWAY["redis"]
    away = {name: address.format(port=any_free())}
    async with facade(environment, monkeypatch, **away) as (_, http):
        body = {"email": play.world.customer.email, "password": PASSWORD}
        answer = await http.post("/api/v1/auth/login", json=body)
        assert answer.status_code == 200
        headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
        assert (await http.get("/api/v1/orders", headers=headers)).status_code == 200
        token = {"refreshToken": answer.json()["refreshToken"]}
        everywhere = {**token, "everywhere": True}
        assert (await http.post("/api/v1/auth/logout", json=everywhere)).status_code == 200
        assert (await http.post("/api/v1/auth/refresh", json=token)).status_code == 401


async def set_hash(play: Cast, password_hash: str) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(User)
            .where(col(User.id) == play.world.customer.user_id)
            .values(password_hash=password_hash)
        )


async def hash_of(play: Cast) -> str:
    async with play.database.read() as session:
        found = await session.scalar(
            select(col(User.password_hash)).where(col(User.id) == play.world.customer.user_id)
        )
    return str(found)


async def test_whoever_is_logged_out_everywhere_is_hung_up_on_and_nobody_else(play: Cast) -> None:
    """Where only one device is logged out, the others' tokens stay good."""
    user_id = str(play.world.customer.user_id)
    async with Redis.from_url(play.environment["REDIS_URL"], decode_responses=True) as redis:

        async def hung_up() -> int:
            entries = await redis.xrange("live")
            return sum(fields.get("ended") == user_id for _, fields in entries)

        first, second, third = [await logged_in(play) for _ in range(3)]
        await play.customer.post("/auth/logout", refreshToken=first["refreshToken"])
        assert await hung_up() == 0

        renewed = await refreshed(play, second["refreshToken"])
        assert await is_over(play, second["refreshToken"])
        assert await hung_up() == 1

        assert await is_over(play, renewed["refreshToken"])
        token = third["refreshToken"]
        await play.customer.post("/auth/logout", refreshToken=token, everywhere=True)
        assert await hung_up() == 2
