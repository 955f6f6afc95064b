"""Logging in by Google, Facebook or Apple: who gets in, into what, and who does not."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlmodel import col

from api.auth import access_token
from domain.logins import FRESH
from local import ports
from local.cast import Cast
from local.world import PASSWORD
from schema.queries.people import Login
from schema.tables import Role, SocialIdentity, User
from settings import Settings
from tests.api import inbox
from tests.api.elsewhere import APP, App, somebody
from tests.api.facade import AWAY, facade
from tests.test_settings import NEEDED

PROVIDERS = ("google", "facebook", "apple")
LOGIN = "/auth/login/social"


@pytest.fixture
async def app(environment: Mapping[str, str]) -> AsyncIterator[App]:
    """An app at the running facade, whose operator believes Facebook's addresses."""
    async with httpx.AsyncClient(base_url=environment["API_URL"]) as http:
        yield App(http)


def believing(environment: Mapping[str, str], provider: str) -> str:
    """The clients, with every address of one provider believed."""
    clients = json.loads(environment["SOCIAL_PROVIDERS"])
    clients[provider]["email_is_verified"] = True
    return json.dumps(clients)


async def accounts(play: Cast, email: str) -> int:
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.count()).select_from(User).where(func.lower(User.email) == email.lower())
        )
        return found or 0


async def identities(play: Cast) -> int:
    async with play.database.read() as session:
        return await session.scalar(select(func.count()).select_from(SocialIdentity)) or 0


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_who_comes_for_the_first_time_gets_an_account_and_comes_into_it_again(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, play: Cast, provider: str
) -> None:
    email = somebody()
    clients = believing(environment, "facebook")
    async with facade(environment, monkeypatch, SOCIAL_PROVIDERS=clients) as (_, http):
        app = App(http)
        first = await app.log_in(provider, email)
        again = await app.log_in(provider, email)
        ways = await app.signed_in(first).ways_in()

    assert (first.status_code, again.status_code) == (200, 200)
    user = first.json()["user"]
    assert user | {"id": ""} == {
        "id": "",
        "email": email,
        "role": "customer",
        "firstName": "Casey",
        "lastName": "Morgan",
    }
    assert again.json()["user"] == user
    seen = jwt.decode(first.json()["accessToken"], options={"verify_signature": False})
    assert (seen["sub"], seen["role"]) == (user["id"], "customer")
    assert ways["hasPassword"] is False
    assert [(way["provider"], way["email"]) for way in ways["identities"]] == [(provider, email)]
    async with play.database.read() as session:
        made = (await session.scalars(select(User).where(col(User.email) == email))).one()
    assert (made.is_verified, made.password_hash) == (True, None)


async def test_an_account_without_a_password_is_opened_by_none(app: App) -> None:
    email = somebody()
    await app.log_in("google", email)

    for password in ("nobody's password", "x"):
        tried = await app.post("/auth/login", {"email": email, "password": password})
        assert problem(tried) == (401, "bad_credentials")


async def test_the_app_sends_people_out_with_all_that_proves_their_return(app: App) -> None:
    for provider in PROVIDERS:
        started = await app.begin(provider)
        asked = parse_qs(urlsplit(started["authorizationUrl"]).query)

        assert asked["state"] == [started["state"]]
        assert asked["code_challenge_method"] == ["S256"]
        assert len(asked["code_challenge"][0]) == 43
        assert asked["redirect_uri"][0].endswith(f"/api/v1/auth/social/{provider}/callback")
        assert started["binding"] not in started["authorizationUrl"]
        assert ("nonce" in asked) == (provider != "facebook")


@pytest.mark.parametrize("address", ["https://evil.example.com", f"{APP}/", f"{APP}?x=1", "x"])
async def test_nobody_is_sent_on_to_where_the_operator_has_not_said(app: App, address: str) -> None:
    answer = await app.post("/auth/social/google/start", {"redirectUri": address})

    assert problem(answer) == (422, "redirect_uri_not_allowed")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_answer_to_no_question_goes_nowhere(app: App, method: str) -> None:
    path = "/api/v1/auth/social/google/callback"
    answer = {"state": "of-nobody", "code": "x"}
    how = {"params": answer} if method == "GET" else {"data": answer}
    lost = await app.http.request(method, path, **how)
    started = await app.begin("google")
    elsewhere = await app.http.get(
        "/api/v1/auth/social/facebook/callback", params={"state": started["state"], "code": "x"}
    )

    assert problem(lost) == problem(elsewhere) == (400, "unknown_state")


async def test_who_changes_his_mind_comes_back_without_a_code(app: App) -> None:
    started = await app.begin("google")

    answer = await app.away(started["authorizationUrl"], "")

    assert answer == {"state": started["state"], "error": "access_denied"}


@pytest.mark.parametrize(
    "change",
    [{"state": "made-up"}, {"binding": "of-another-browser"}, {"provider": "facebook"}],
    ids=["forged", "other browser", "other provider"],
)
async def test_only_who_has_begun_a_login_may_finish_it(
    app: App, play: Cast, change: dict[str, str]
) -> None:
    email = somebody()
    back = await app.came_back("google", email)
    before = await identities(play)

    refused = await app.post(LOGIN, back | change)

    assert problem(refused) == (400, "unknown_state")
    assert (await accounts(play, email), await identities(play)) == (0, before)
    if "state" not in change:
        # Somebody has seen the state: nobody may go on with it.
        assert problem(await app.post(LOGIN, back)) == (400, "unknown_state")


@pytest.mark.parametrize("missing", ["state", "binding", "code", "provider"])
async def test_a_login_needs_all_of_it(app: App, missing: str) -> None:
    back = await app.came_back("google", somebody())

    refused = await app.post(LOGIN, {name: back[name] for name in back if name != missing})

    assert problem(refused) == (422, "invalid_request")
    assert (await app.post(LOGIN, back)).status_code == 200


async def test_a_login_is_finished_once(app: App, play: Cast) -> None:
    email = somebody()
    back = await app.came_back("google", email)

    answers = await asyncio.gather(*(app.post(LOGIN, back) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert await accounts(play, email) == 1


async def test_two_logins_at_once_make_one_account(app: App, play: Cast) -> None:
    email = somebody()
    backs = [await app.came_back("google", email) for _ in range(4)]

    answers = await asyncio.gather(*(app.post(LOGIN, back) for back in backs))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["user"]["id"] for answer in answers}) == 1
    assert await accounts(play, email) == 1


async def test_a_code_is_good_only_with_the_login_that_it_was_given_to(
    app: App, play: Cast
) -> None:
    email = somebody()
    stolen = await app.came_back("google", email)
    mine = await app.came_back("google", somebody())

    refused = await app.post(LOGIN, mine | {"code": stolen["code"]})

    assert problem(refused) == (401, "social_login_failed")
    assert await accounts(play, email) == 0


@pytest.mark.parametrize("provider", ["google", "apple"])
@pytest.mark.parametrize(
    "fault",
    [
        "wrong_nonce",
        "wrong_audience",
        "wrong_issuer",
        "wrong_client",
        "expired",
        "forged",
        "unknown_key",
        "unsigned",
        "no_subject",
    ],
)
async def test_a_word_that_is_not_the_providers_or_not_for_us_lets_nobody_in(
    app: App, play: Cast, provider: str, fault: str
) -> None:
    email = somebody()

    refused = await app.log_in(provider, email, fault=fault)

    assert problem(refused) == (401, "social_login_failed")
    assert await accounts(play, email) == 0


async def test_facebook_has_to_say_who_it_is(app: App) -> None:
    refused = await app.log_in("facebook", somebody(), fault="no_subject")

    assert problem(refused) == (401, "social_login_failed")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["down", "not_json", "slow"])
async def test_while_a_provider_is_away_nobody_waits_for_it_and_nothing_is_lost(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    play: Cast,
    provider: str,
    fault: str,
) -> None:
    email = somebody()
    async with facade(environment, monkeypatch, SOCIAL_TIMEOUT_SECONDS="1") as (_, http):
        refused = await App(http).log_in(provider, email, fault=fault)

    assert problem(refused) == (503, "temporarily_unavailable")
    assert refused.headers["retry-after"] == "1"
    assert await accounts(play, email) == 0


async def test_the_same_request_again_gets_in_when_the_provider_is_back(app: App) -> None:
    back = await app.came_back("google", somebody(), fault="down_once")

    away, again = await app.post(LOGIN, back), await app.post(LOGIN, back)

    assert (away.status_code, again.status_code) == (503, 200)


async def test_the_same_request_again_gets_in_when_the_database_is_back(
    app: App, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    back = await app.came_back("google", somebody())
    name, address = AWAY["database"]
    away = {name: address.format(port=ports.any_free())}
    async with facade(environment, monkeypatch, **away) as (_, http):
        refused = await App(http).post(LOGIN, back)

    again = await app.post(LOGIN, back)

    assert (refused.status_code, again.status_code) == (503, 200)
    assert problem(await app.post(LOGIN, back)) == (400, "unknown_state")


async def test_without_redis_no_login_begins(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, address = AWAY["redis"]
    away = {name: address.format(port=ports.any_free())}
    async with facade(environment, monkeypatch, **away) as (_, http):
        begun = await App(http).post("/auth/social/google/start", {"redirectUri": APP})
        ended = await App(http).post(
            LOGIN, {"provider": "google", "code": "x", "state": "x", "binding": "x"}
        )

    assert problem(begun) == problem(ended) == (503, "temporarily_unavailable")


async def test_a_provider_that_the_operator_has_no_client_at_is_not_there(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(environment, monkeypatch, SOCIAL_PROVIDERS="{}") as (_, http):
        refused = await App(http).post("/auth/social/google/start", {"redirectUri": APP})

    assert problem(refused) == (404, "not_found")


async def test_an_existing_account_is_linked_only_by_who_logs_in_to_it(
    app: App, play: Cast
) -> None:
    email = play.world.customer.email
    first = await app.log_in("google", email.upper())
    before = await identities(play)

    assert problem(first) == (409, "link_required")
    token = {"linkToken": first.json()["linkToken"]}
    # Neither nobody nor somebody else.
    assert problem(await app.post("/auth/social/link", token)) == (401, "unauthorized")
    other = App(app.http, headers={"Authorization": play.chef.authorization})
    assert problem(await other.post("/auth/social/link", token)) == (400, "unknown_link_token")
    assert await identities(play) == before

    owner = app.signed_in(await app.post("/auth/login", {"email": email, "password": PASSWORD}))
    linked = [await owner.post("/auth/social/link", token) for _ in range(2)]
    assert [answer.status_code for answer in linked] == [200, 200]
    assert await identities(play) == before + 1
    ways = await owner.ways_in()
    assert (ways["hasPassword"], len(ways["identities"])) == (True, 1)
    again = await app.log_in("google", email.upper())
    assert again.json()["user"]["id"] == str(play.world.customer.user_id)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("exists", [True, False])
async def test_who_has_not_proved_an_address_is_not_told_whether_it_has_an_account(
    app: App, play: Cast, provider: str, exists: bool
) -> None:
    email = play.world.customer.email if exists else somebody()

    refused = await app.log_in(provider, email, verified="0")

    told = refused.json()
    assert told.pop("linkToken")
    assert told == {
        "type": "urn:ridendine:problem:email_unverified",
        "title": "Conflict",
        "status": 409,
        "code": "email_unverified",
        "detail": "the provider does not say that the address is yours: log in or register with it"
        " here, then link",
    }
    assert await accounts(play, email) == int(exists)


async def test_who_comes_without_a_proved_address_links_the_account_that_he_logs_in_to(
    app: App, play: Cast
) -> None:
    email = somebody()
    token = {"linkToken": (await app.log_in("facebook", email)).json()["linkToken"]}
    chef = App(app.http, headers={"Authorization": play.chef.authorization})
    customer = App(app.http, headers={"Authorization": play.customer.authorization})

    assert (await chef.post("/auth/social/link", token)).status_code == 200

    # It opens one account, and no other.
    assert problem(await customer.post("/auth/social/link", token)) == (409, "already_linked")
    assert (await customer.ways_in())["identities"] == []
    login = await app.log_in("facebook", email)
    assert login.json()["user"]["id"] == str(play.world.chef.user_id)


async def test_an_account_has_one_login_at_each_provider(app: App, play: Cast) -> None:
    chef = App(app.http, headers={"Authorization": play.chef.authorization})
    tokens = [
        {"linkToken": (await app.log_in("facebook", somebody())).json()["linkToken"]}
        for _ in range(2)
    ]

    answers = await asyncio.gather(*(chef.post("/auth/social/link", token) for token in tokens))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await chef.ways_in())["identities"]) == 1


async def test_a_link_token_that_was_made_up_links_nothing(app: App, play: Cast) -> None:
    customer = App(app.http, headers={"Authorization": play.customer.authorization})

    refused = await customer.post("/auth/social/link", {"linkToken": "made up"})

    assert problem(refused) == (400, "unknown_link_token")
    assert (await customer.ways_in())["identities"] == []


async def test_a_login_elsewhere_is_given_up_but_not_the_last_way_in(app: App) -> None:
    email = somebody()
    only = app.signed_in(await app.log_in("google", email))
    assert problem(await only.unlink("google")) == (409, "last_way_in")
    assert problem(await only.unlink("facebook")) == (404, "not_found")
    token = (await app.log_in("facebook", email)).json()["linkToken"]
    assert (await only.post("/auth/social/link", {"linkToken": token})).status_code == 200

    answers = await asyncio.gather(only.unlink("google"), only.unlink("facebook"))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await only.ways_in())["identities"]) == 1


async def test_who_has_a_password_may_give_up_all_others(app: App, play: Cast) -> None:
    email = play.world.customer.email
    customer = App(app.http, headers={"Authorization": play.customer.authorization})
    token = (await app.log_in("apple", email)).json()["linkToken"]
    await customer.post("/auth/social/link", {"linkToken": token})

    given_up = await customer.unlink("apple")

    assert given_up.json() == {"hasPassword": True, "identities": []}
    assert problem(await app.log_in("apple", email)) == (409, "link_required")


async def test_a_suspended_account_stays_shut(app: App, play: Cast) -> None:
    email = somebody()
    await app.log_in("google", email)
    async with play.database.write() as session:
        user = (await session.scalars(select(User).where(col(User.email) == email))).one()
        user.is_active = False

    assert problem(await app.log_in("google", email)) == (401, "social_login_failed")


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "Robert'); DROP TABLE users;--", "\u0000\u202eevil", " "]
)
async def test_a_name_from_elsewhere_is_kept_as_text(app: App, name: str) -> None:
    for provider in ("google", "apple"):
        answer = await app.log_in(provider, somebody(), first_name=name, last_name="x" * 300)

        user = answer.json()["user"]
        printable = "".join(c for c in name if c.isprintable()).strip()
        assert user["firstName"] == (printable or "Customer")
        assert user["lastName"] == "x" * 100


@pytest.mark.parametrize(
    "written",
    [
        {"google": {"client_id": "x"}},
        {"apple": {"client_id": "x", "team_id": "x", "key_id": "x"}},
        {"myspace": {"client_id": "x", "client_secret": "x"}},
    ],
    ids=["no secret", "no key", "nobody we know"],
)
def test_a_client_that_cannot_prove_itself_stops_the_process_at_once(
    written: dict[str, object],
) -> None:
    with pytest.raises(ValidationError, match="social_providers") as refused:
        Settings.of({**NEEDED, "SOCIAL_PROVIDERS": json.dumps(written)})

    assert "client_secret': 'x" not in repr(refused.value.errors(include_input=False))


async def test_a_token_of_an_older_login_links_nothing(app: App, play: Cast) -> None:
    """It may be a stolen one, and what it links would outlast it."""
    first = await app.log_in("google", play.world.customer.email)
    who = play.world.customer
    login = Login(who.user_id, who.email, Role.CUSTOMER, "", "Test", "Person")
    old = access_token(
        login,
        Settings.of(play.environment),
        logged_in_at=datetime.now(UTC) - FRESH - timedelta(minutes=1),
    )
    customer = App(app.http, headers={"Authorization": f"Bearer {old}"})

    refused = await customer.post("/auth/social/link", {"linkToken": first.json()["linkToken"]})

    assert problem(refused) == (403, "fresh_login_needed")
    assert (await customer.ways_in())["identities"] == []


async def test_a_new_password_by_a_link_ends_all_logins_elsewhere(app: App, play: Cast) -> None:
    email = play.world.customer.email
    first = await app.log_in("google", email)
    customer = App(app.http, headers={"Authorization": play.customer.authorization})
    await customer.post("/auth/social/link", {"linkToken": first.json()["linkToken"]})

    await play.customer.post("/auth/forgot-password", email=email)
    link = inbox.token_of(await inbox.letter(play, email, "A new password"), "/reset-password")
    await play.customer.post("/auth/reset-password", token=link, password="a better one")

    assert problem(await app.log_in("google", email)) == (409, "link_required")
