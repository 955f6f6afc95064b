"""What every answer tells browsers, and how it is packed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from redis.asyncio import Redis

from api.limits import MOST_BODY_BYTES
from api.pictures import FOLDER
from settings import Settings
from tests.api.facade import facade
from tests.test_settings import NEEDED

Facade = tuple[FastAPI, httpx.AsyncClient]
Opened = Callable[..., AbstractAsyncContextManager[Facade]]

OURS = "https://app.example.com"
THEIRS = "https://app.example.org"
CHEFS = "/api/v1/chefs"
LOGIN = "/api/v1/auth/login"


@pytest.fixture
async def opened(
    environment: Mapping[str, str],
    redis: Redis,  # noqa: ARG001 - nothing is counted yet
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Opened:
    """Facades that are set up like the running one, but for these settings."""

    def of(**settings: str) -> AbstractAsyncContextManager[Facade]:
        changes = {"REDIS_URL": redis_url, "CORS_ORIGINS": f'["{OURS}"]', **settings}
        return facade(environment, monkeypatch, **changes)

    return of


def break_down(app: FastAPI) -> None:
    @app.get("/broken", tags=["Test"])
    async def broken() -> None:
        raise RuntimeError("nobody expected this")


async def test_whatever_goes_wrong_leaves_with_the_headers_of_any_answer(opened: Opened) -> None:
    origin = {"Origin": OURS}
    async with opened(RATE_LIMIT_AUTH="1/hour") as (app, http):
        break_down(app)
        good = await http.get(CHEFS, headers=origin)
        missing = await http.get("/api/v1/nothing", headers=origin)
        large = await http.post(LOGIN, headers=origin, content=b"x" * (MOST_BODY_BYTES + 1))
        limited = await http.post(LOGIN, headers=origin, json={})
        unexpected = await http.get("/broken", headers=origin)

    answers = (good, missing, large, limited, unexpected)
    assert [answer.status_code for answer in answers] == [200, 404, 413, 429, 500]
    assert unexpected.json()["code"] == "internal_error"
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == OURS
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; frame-ancestors 'none'"
        )
        assert "ratelimit" in answer.headers
        assert "access-control-allow-credentials" not in answer.headers
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert exposed == {"RateLimit", "RateLimit-Policy", "Retry-After"}


async def test_a_page_of_another_origin_is_told_nothing(opened: Opened) -> None:
    async with opened() as (_, http):
        theirs = await http.get(CHEFS, headers={"Origin": THEIRS})
        asked = await http.options(
            CHEFS, headers={"Origin": THEIRS, "Access-Control-Request-Method": "GET"}
        )
    async with opened(CORS_ORIGINS="") as (_, http):
        nobodys = await http.get(CHEFS, headers={"Origin": OURS})

    assert "access-control-allow-origin" not in theirs.headers
    assert (asked.status_code, "access-control-allow-origin" in asked.headers) == (400, False)
    assert "access-control-allow-origin" not in nobodys.headers


async def test_a_browser_asks_before_it_sends_and_that_does_not_count(opened: Opened) -> None:
    asks = {
        "Origin": OURS,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    async with opened(RATE_LIMIT_ANONYMOUS="1/hour") as (_, http):
        asked = [await http.options(CHEFS, headers=asks) for _ in range(3)]
        sent = await http.get(CHEFS, headers={"Origin": OURS})

    assert {answer.status_code for answer in asked} == {200}
    assert asked[0].headers["access-control-allow-origin"] == OURS
    assert "PUT" in asked[0].headers["access-control-allow-methods"]
    assert asked[0].headers["x-content-type-options"] == "nosniff"
    assert sent.status_code == 200


@pytest.mark.parametrize(
    ("url", "seconds", "told"),
    [
        ("https://api.example.com", "31536000", "max-age=31536000"),
        ("https://api.example.com", "0", None),
        ("http://api.example.com", "31536000", None),
    ],
)
async def test_browsers_are_kept_to_https_where_there_is_one(
    opened: Opened, url: str, seconds: str, told: str | None
) -> None:
    async with opened(PUBLIC_BASE_URL=url, HSTS_SECONDS=seconds) as (_, http):
        answer = await http.get("/healthz")

    assert answer.headers.get("strict-transport-security") == told


async def test_the_documents_may_run_their_scripts_but_not_in_a_frame(opened: Opened) -> None:
    async with opened() as (_, http):
        docs = await http.get("/docs")

    assert docs.status_code == 200
    assert docs.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert docs.headers["x-frame-options"] == "DENY"


async def test_long_answers_are_packed_short_ones_and_pictures_are_not(opened: Opened) -> None:
    owner, content = uuid4(), b"\xff\xd8\xff" + b"a picture" * 1000
    name = f"{sha256(content).hexdigest()}.jpg"
    async with opened() as (app, http):
        await app.state.services.storage.put(f"{FOLDER}/{owner}/{name}", content)
        long = await http.get("/openapi.json")
        short = await http.get("/healthz")
        picture = await http.get(f"/api/v1/pictures/{owner}/{name}")
        plain = await http.get("/openapi.json", headers={"Accept-Encoding": "identity"})

    assert long.headers["content-encoding"] == "gzip"
    assert int(long.headers["content-length"]) < len(plain.content) / 4
    assert long.content == plain.content
    assert "content-encoding" not in short.headers
    assert ("content-encoding" in picture.headers, picture.content) == (False, content)


@pytest.mark.parametrize(
    "written", ['["https://app.example.com/"]', '["app.example.com"]', '["*"]', "https://a.b"]
)
def test_an_origin_is_written_as_browsers_write_it(written: str) -> None:
    with pytest.raises((ValidationError, ValueError)):
        Settings.of({**NEEDED, "CORS_ORIGINS": written})
