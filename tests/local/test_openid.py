"""The stand-in for logins elsewhere is as strict as they are."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from local.openid.app import create_app

VERIFIER = "v" * 64
BACK = "https://api.example.com/callback"


@pytest.fixture
async def there() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://there") as http:
        yield http


def asked(**changes: str) -> dict[str, str]:
    return {
        "client_id": "ridendine-local",
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": "openid email",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }


async def code(there: httpx.AsyncClient) -> str:
    somebody = {"as": "a@example.com", "verified": "1"}
    answer = await there.get("/google/o/oauth2/v2/auth", params=asked(**somebody))
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return parse_qs(back.query)["code"][0]


async def exchange(there: httpx.AsyncClient, **changes: str) -> httpx.Response:
    clients: dict[str, Any] = (await there.get("/_control/clients")).json()
    form = {
        "grant_type": "authorization_code",
        "client_id": "ridendine-local",
        "client_secret": clients["google"]["client_secret"],
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        **changes,
    }
    return await there.post("/google/token", data=form)


async def test_a_code_is_good_once_and_its_token_is_signed_with_a_published_key(
    there: httpx.AsyncClient,
) -> None:
    given = await code(there)
    first, second = await exchange(there, code=given), await exchange(there, code=given)

    discovered = (await there.get("/google/.well-known/openid-configuration")).json()
    keys = (await there.get(urlsplit(discovered["jwks_uri"]).path)).json()
    said = jwt.decode(
        first.json()["id_token"],
        jwt.PyJWKSet.from_dict(keys).keys[0],
        ["RS256"],
        audience="ridendine-local",
        issuer=discovered["issuer"],
    )
    assert (said["email"], said["email_verified"], said["nonce"]) == (
        "a@example.com",
        True,
        "a-nonce",
    )
    assert (second.status_code, second.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example.com"}, "invalid_grant"),
        ({"client_secret": "a guess"}, "invalid_client"),
        ({"client_id": "another"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_good_for_who_asked_for_it_alone(
    there: httpx.AsyncClient, change: dict[str, str], error: str
) -> None:
    refused = await exchange(there, **{"code": await code(there), **change})

    assert (refused.status_code, refused.json()) == (400, {"error": error})


async def test_apples_client_has_to_sign(there: httpx.AsyncClient) -> None:
    forged = jwt.encode({"iss": "RIDENDINE1"}, "x" * 32, "HS256", headers={"kid": "LOCALKEY01"})
    for secret in ("a-secret-for-one-machine", forged):
        form = {"client_id": "ridendine-local", "client_secret": secret, "code": "x"}
        refused = await there.post("/apple/auth/token", data=form)
        assert (refused.status_code, refused.json()) == (400, {"error": "invalid_client"})


async def test_a_person_is_shown_a_page_and_a_client_without_pkce_is_not(
    there: httpx.AsyncClient,
) -> None:
    page = await there.get("/google/o/oauth2/v2/auth", params=asked(state='"><script>'))
    plain = await there.get("/google/o/oauth2/v2/auth", params=asked(code_challenge_method="plain"))

    assert page.status_code == 200
    assert "<form>" in page.text
    assert "<script>" not in page.text
    assert plain.status_code == 400


async def test_facebook_tells_who_it_is_by_the_token_alone(there: httpx.AsyncClient) -> None:
    refused = await there.get("/facebook/v23.0/me", headers={"Authorization": "Bearer made-up"})

    assert refused.status_code == 400
