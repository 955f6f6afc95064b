"""Who gets in, and what a token is good for."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.auth import access_token
from api.keys import keyring, thumbprint
from domain.permissions import Role, permissions
from local.cast import Cast
from local.people import Person, Unanswered
from local.prepare import new_key
from local.world import PASSWORD
from schema.queries.people import Login
from settings import Settings
from tests.api.facade import facade


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


def ring(environment: Mapping[str, str]) -> tuple[RSAPrivateKey, dict[str, str]]:
    """Our own key, and the header that names it."""
    held = keyring(Settings.of(environment))
    return held.signing, {"kid": held.kid}


async def test_a_login_gives_a_token_for_fifteen_minutes_with_the_role(play: Cast) -> None:
    person = Person(play.environment["API_URL"], play.world.chef.email.upper())

    answer = await person.log_in(PASSWORD)

    assert (answer["tokenType"], answer["expiresIn"]) == ("Bearer", 900)
    assert answer["user"]["role"] == "chef"
    seen = jwt.decode(answer["accessToken"], options={"verify_signature": False})
    assert seen["sub"] == str(play.world.chef.user_id)
    assert seen["exp"] - seen["iat"] == 900
    assert seen["email"] == play.world.chef.email
    assert seen["permissions"] == permissions(Role.CHEF)
    assert {"cook:orders", "write:menus"} <= set(seen["permissions"])
    assert seen.keys() == {"sub", "email", "role", "permissions", "iat", "exp", "iss", "auth_time"}
    assert seen["auth_time"] <= seen["iat"]
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
        "detail": "no such email address and password, or the address is not confirmed yet",
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
    key, header = ring(environment)
    good = jwt.encode(claims(play), key, "RS256", header)
    token = jwt.encode(claims(play, **change), key, "RS256", header)

    assert await status_with(play, good) == 200
    assert await status_with(play, token) == 401


async def test_a_token_signed_with_another_key_or_not_at_all_gets_nobody_in(
    play: Cast, environment: Mapping[str, str]
) -> None:
    key, ours = ring(environment)
    another = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    secret = environment["JWT_SECRET"]

    for forged in (
        jwt.encode(claims(play), another, "RS256", ours),
        jwt.encode(claims(play), another, "RS256", {"kid": thumbprint(another.public_key())}),
        jwt.encode(claims(play), key, "RS256", {"kid": "unheard of"}),
        jwt.encode(claims(play), key, "RS256"),
        jwt.encode(claims(play), key, "RS512", ours),
        jwt.encode(claims(play), None, "none", ours),
        jwt.encode(claims(play), secret, "HS256", ours),
        jwt.encode(claims(play), secret, "HS256"),
        *(
            signed_with_the_public_key(play, key, written)
            for written in (Encoding.PEM, Encoding.DER)
        ),
        "not.a.token",
    ):
        assert await status_with(play, forged) == 401, forged


def signed_with_the_public_key(play: Cast, key: RSAPrivateKey, written: Encoding) -> str:
    """What everybody knows, taken for the secret of another algorithm."""
    known = key.public_key().public_bytes(written, PublicFormat.SubjectPublicKeyInfo)
    head = {"alg": "HS256", "typ": "JWT", "kid": thumbprint(key.public_key())}
    body = {k: v if isinstance(v, str) else v.timestamp() for k, v in claims(play).items()}
    signed = b".".join(part(json.dumps(piece).encode()) for piece in (head, body))
    return (signed + b"." + part(hmac.digest(known, signed, hashlib.sha256))).decode()


def part(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


async def test_anybody_can_check_a_token_with_the_published_keys(play: Cast) -> None:
    url = f"{play.environment['API_URL']}/.well-known/jwks.json"
    token = play.customer.authorization.removeprefix("Bearer ")
    async with httpx.AsyncClient() as http:
        published = (await http.get(url)).json()

    keys = jwt.PyJWKSet.from_dict(published)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    seen = jwt.decode(token, key, ["RS256"], issuer="ridendine")

    assert seen["sub"] == str(play.world.customer.user_id)
    assert [set(key) for key in published["keys"]] == [{"kty", "use", "alg", "kid", "n", "e"}]


async def test_a_token_of_the_key_before_is_good_until_that_key_is_taken_away(
    play: Cast, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = new_key(), new_key()
    who = Login(
        play.world.customer.user_id, play.world.customer.email, Role.CUSTOMER, "", "Test", "Person"
    )

    async def seen_by(token: str, **settings: str) -> int:
        async with facade(environment, monkeypatch, **settings) as (_, http):
            headers = {"Authorization": f"Bearer {token}"}
            return (await http.get("/api/v1/orders", headers=headers)).status_code

    old = access_token(who, Settings.of({**environment, "JWT_PRIVATE_KEY": before}))
    new = access_token(who, Settings.of({**environment, "JWT_PRIVATE_KEY": after}))
    rotated = {"JWT_PRIVATE_KEY": after, "JWT_OLD_KEYS": before}

    assert await seen_by(old, **rotated) == 200
    assert await seen_by(new, **rotated) == 200
    assert await seen_by(old, JWT_PRIVATE_KEY=after) == 401
    # A key that is told of before it signs.
    assert await seen_by(new, JWT_PRIVATE_KEY=before, JWT_OLD_KEYS=after) == 200


async def test_without_a_token_the_answer_says_what_is_missing(play: Cast) -> None:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.get("/api/v1/orders")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthorized"
