"""How chefs and drivers get to Stripe and back, and what they cannot do before."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import jwt
import pytest

from domain.payees import PayeeKind
from local.cast import Cast, cast
from local.people import Person, Unanswered, until
from schema.messages.payees import PayeeRef
from schema.queries import payees
from schema.tables import Chef
from settings import Settings
from tests.api.test_webhooks import event, send, stored


@pytest.fixture
async def newcomers(play: Cast) -> AsyncIterator[Cast]:
    """Everybody, none of whom can be paid."""
    async with cast(play.environment, drivers=1, onboarded=False) as everybody:
        yield everybody


def path(newcomers: Cast, kind: str = "chefs") -> str:
    who = newcomers.world.chef if kind == "chefs" else newcomers.world.drivers[0]
    return f"/{kind}/{who.id}/stripe/onboard"


async def browse(method: str, url: str, **form: str) -> httpx.Response:
    """A browser's request, which follows no redirect."""
    async with httpx.AsyncClient() as http:
        return await http.request(method, url, data=form or None)


async def accounts(newcomers: Cast, payee_id: UUID) -> list[str]:
    found = newcomers.stripe.v1.accounts.list({"limit": 100}).auto_paging_iter()
    return [
        account.id
        for account in found
        if account.metadata and account.metadata["payee_id"] == str(payee_id)
    ]


async def refusal(asked: Any) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value


@pytest.mark.parametrize("kind", ["chefs", "drivers"])
async def test_a_payee_gets_a_page_at_stripe_and_an_admin_may_get_it_for_him(
    newcomers: Cast, kind: str
) -> None:
    himself = newcomers.chef if kind == "chefs" else newcomers.drivers[0]
    before = await himself.get(path(newcomers, kind))

    first = await himself.post(path(newcomers, kind))
    second = await newcomers.admin.post(path(newcomers, kind))

    assert before == {
        "accountId": None,
        "detailsSubmitted": False,
        "payoutsEnabled": False,
        "requirementsDue": [],
        "disabledReason": None,
    }
    assert first["accountId"] == second["accountId"]
    assert first["url"] != second["url"]
    assert (first["detailsSubmitted"], first["payoutsEnabled"]) == (False, False)
    assert datetime.fromisoformat(first["expiresAt"]) > datetime.now(UTC)
    stands = await himself.get(path(newcomers, kind))
    assert stands["accountId"] == first["accountId"]
    assert "external_account" in stands["requirementsDue"]
    who = newcomers.world.chef if kind == "chefs" else newcomers.world.drivers[0]
    assert await accounts(newcomers, who.id) == [first["accountId"]]


async def test_a_body_is_not_needed(newcomers: Cast) -> None:
    async with httpx.AsyncClient(base_url=newcomers.environment["API_URL"]) as http:
        answer = await http.post(
            f"/api/v1{path(newcomers)}",
            headers={"Authorization": newcomers.chef.authorization},
        )

    assert answer.status_code == 200


async def test_to_everybody_else_there_is_nobody_to_onboard(newcomers: Cast, play: Cast) -> None:
    others = [newcomers.customer, newcomers.drivers[0], play.chef, play.drivers[0]]
    for other in others:
        for asked in (other.get(path(newcomers)), other.post(path(newcomers))):
            refused = await refusal(asked)
            assert (refused.status, refused.code) == (404, "not_found")
    # A driver's id is no chef's, and a user's is neither.
    for wrong in (newcomers.world.drivers[0].id, newcomers.world.chef.user_id, uuid4()):
        refused = await refusal(newcomers.admin.post(f"/chefs/{wrong}/stripe/onboard"))
        assert (refused.status, refused.code) == (404, "not_found")
    assert await accounts(newcomers, newcomers.world.chef.id) == []


@pytest.mark.parametrize(
    "body",
    [
        {"returnUrl": "javascript:alert(1)"},
        {"returnUrl": "ftp://example.com/"},
        {"returnUrl": "//example.com/"},
        {"returnUrl": "https://"},
        {"returnUrl": "https://exa mple.com/"},
        {"returnUrl": "https://example.com/" + "a" * 2000},
        {"refreshUrl": "http://:80/"},
        {"refreshUrl": "https://example.com/\x00"},
        {"refreshUrl": 7},
        {"url": "https://example.com/"},
        [],
        "https://example.com/",
    ],
)
async def test_addresses_that_are_none_are_refused_and_nothing_is_opened(
    newcomers: Cast, body: Any
) -> None:
    refused = await refusal(newcomers.chef.ask("POST", path(newcomers), body))

    assert (refused.status, refused.code) == (422, "invalid_request")
    assert await accounts(newcomers, newcomers.world.chef.id) == []


async def test_the_app_may_say_where_stripe_sends_its_user(newcomers: Cast) -> None:
    link = await newcomers.chef.post(
        path(newcomers),
        returnUrl="https://app.example.com/back?a=b",
        refreshUrl="https://app.example.com/again",
    )

    assert (await browse("GET", link["url"])).status_code == 200
    again = await browse("GET", link["url"])
    done = await browse("POST", link["url"], outcome="finished")

    assert again.headers["location"] == "https://app.example.com/again"
    assert done.headers["location"] == "https://app.example.com/back?a=b"


async def test_without_that_stripe_sends_him_to_pages_of_ours(newcomers: Cast) -> None:
    link = await newcomers.chef.post(path(newcomers))

    done = await browse("POST", link["url"], outcome="unfinished")

    landed = await browse("GET", done.headers["location"])
    assert landed.status_code == 200
    assert "Thank you" in landed.text


async def test_a_page_that_was_used_up_leads_to_another_one(newcomers: Cast) -> None:
    back = "https://app.example.com/back"
    link = await newcomers.chef.post(path(newcomers), returnUrl=back)
    await browse("GET", link["url"])
    used_up = await browse("GET", link["url"])

    refreshed = await browse("GET", used_up.headers["location"])

    assert refreshed.status_code == 303
    assert refreshed.headers["cache-control"] == "no-store"
    assert refreshed.headers["location"] != link["url"]
    assert (await browse("GET", refreshed.headers["location"])).status_code == 200
    done = await browse("POST", refreshed.headers["location"], outcome="finished")
    assert done.headers["location"] == back


async def refresh_token(newcomers: Cast) -> str:
    link = await newcomers.chef.post(path(newcomers))
    await browse("GET", link["url"])
    again = (await browse("GET", link["url"])).headers["location"]
    return parse_qs(urlsplit(again).query)["token"][0]


async def test_a_refresh_address_is_good_for_its_purpose_alone(newcomers: Cast) -> None:
    token = await refresh_token(newcomers)
    settings = Settings.of(newcomers.environment)
    secret = settings.jwt_secret.get_secret_value()
    claims = jwt.decode(token, secret, ["HS256"], audience="stripe-refresh")
    old = {**claims, "exp": datetime.now(UTC) - timedelta(seconds=1)}
    forgeries = [
        "",
        "nonsense",
        token[:-3],
        jwt.encode(claims, "a secret of somebody else's, long enough", "HS256"),
        jwt.encode(old, secret, "HS256"),
        jwt.encode({**claims, "aud": "somebody"}, secret, "HS256"),
        newcomers.chef.authorization.removeprefix("Bearer "),
    ]
    async with httpx.AsyncClient(base_url=newcomers.environment["API_URL"]) as http:
        for forged in forgeries:
            answer = await http.get("/api/v1/stripe/refresh", params={"token": forged})
            assert answer.status_code == 400, forged
            assert answer.json()["code"] == "bad_refresh_token"
        missing = await http.get("/api/v1/stripe/refresh")
        assert missing.status_code == 422
    intruder = Person(newcomers.environment["API_URL"], "intruder@example.com")
    intruder.use_token(token)
    assert (await refusal(intruder.get(path(newcomers)))).status == 401
    await intruder.leave()


async def test_a_chef_who_cannot_be_paid_sells_nothing(newcomers: Cast) -> None:
    placing = await refusal(newcomers.place())
    opening = await refusal(newcomers.chef.put("/chef/availability", acceptingOrders=True))

    assert (placing.status, placing.code) == (409, "chef_cannot_be_paid")
    assert (opening.status, opening.code) == (409, "chef_cannot_be_paid")
    assert (await newcomers.customer.get("/orders"))["total"] == 0


async def test_a_kitchen_that_cannot_open_stays_closed(newcomers: Cast) -> None:
    assert await newcomers.chef.put("/chef/availability", acceptingOrders=False) == {
        "acceptingOrders": False,
        "isOnline": True,
        "capacity": None,
        "prepMinutes": 20,
    }

    await refusal(newcomers.chef.put("/chef/availability", acceptingOrders=True))

    async with newcomers.database.read() as session:
        chef = await session.get(Chef, newcomers.world.chef.id)
    assert chef is not None
    assert not chef.accepting_orders


async def test_a_driver_who_cannot_be_paid_may_deliver(newcomers: Cast) -> None:
    answer = await newcomers.drivers[0].put("/delivery/availability", isAvailable=True)

    assert answer == {"isAvailable": True}


def updated(account_id: str, **about: Any) -> dict[str, Any]:
    found = event("account.updated", {"id": account_id, "object": "account", **about})
    return {**found, "account": account_id}


@pytest.mark.parametrize("secret", ["STRIPE_WEBHOOK_SECRET", "STRIPE_CONNECT_WEBHOOK_SECRET"])
async def test_word_of_an_account_is_believed_with_either_secret_and_looked_into(
    newcomers: Cast, secret: str
) -> None:
    account_id = (await newcomers.chef.post(path(newcomers)))["accountId"]
    # Stale, or a lie: only what Stripe says when it is asked counts.
    word = updated(account_id, details_submitted=True, payouts_enabled=True)

    answer = await send(newcomers, word, secret=newcomers.environment[secret])
    again = await send(newcomers, word, secret=newcomers.environment[secret])

    assert answer.json() == {"outcome": "told: account_updated"}
    assert again.json() == {"outcome": "handled before"}
    assert not (await newcomers.chef.get(path(newcomers)))["payoutsEnabled"]


async def test_forged_word_of_an_account_changes_nothing(newcomers: Cast) -> None:
    account_id = (await newcomers.chef.post(path(newcomers)))["accountId"]
    word = updated(account_id)

    answer = await send(newcomers, word, secret="whsec_of_somebody_else")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert await stored(newcomers, word["id"]) is None


async def test_word_of_an_account_that_nobody_knows_is_stored_and_said(newcomers: Cast) -> None:
    for metadata in (None, {}, {"payee_kind": "cook"}, {"payee_kind": "chef", "payee_id": "7"}):
        word = updated("acct_unknown", metadata=metadata)
        answer = await send(newcomers, word)
        assert answer.json() == {"outcome": "unmatched: no such account"}
    stranger = {"payee_kind": "chef", "payee_id": str(uuid4())}
    answer = await send(newcomers, updated("acct_unknown", metadata=stranger))
    assert answer.json() == {"outcome": "unmatched: no such account"}


async def test_word_that_is_faster_than_our_books_is_matched_by_what_the_account_says(
    newcomers: Cast,
) -> None:
    chef = PayeeRef(kind=PayeeKind.CHEF, payee_id=newcomers.world.chef.id)
    metadata = {"payee_kind": chef.kind.value, "payee_id": str(chef.payee_id)}

    answer = await send(newcomers, updated("acct_not_written_down", metadata=metadata))

    assert answer.json() == {"outcome": "told: account_updated"}

    async def has_account() -> bool:
        async with newcomers.database.read() as session:
            return await payees.account_of(session, chef.payee_id) is not None

    await until(has_account)
    assert len(await accounts(newcomers, chef.payee_id)) == 1


async def test_what_a_connected_account_does_is_no_business_of_an_order(newcomers: Cast) -> None:
    account_id = (await newcomers.chef.post(path(newcomers)))["accountId"]
    about = {"id": "pi_1", "amount_received": 1, "metadata": {"order_id": str(uuid4())}}

    answer = await send(
        newcomers, {**event("payment_intent.succeeded", about), "account": account_id}
    )

    assert answer.json() == {"outcome": "ignored: nobody has to know"}


@pytest.mark.parametrize("account", [7, [], {}])
async def test_an_account_that_is_none_is_no_event(newcomers: Cast, account: Any) -> None:
    answer = await send(newcomers, {**updated("acct_1"), "account": account})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_event")


async def test_an_account_update_that_does_not_look_like_one_is_kept(newcomers: Cast) -> None:
    odd = {**event("account.updated", {"object": "account"}), "account": "acct_1"}

    answer = await send(newcomers, odd)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_event")
    row = await stored(newcomers, odd["id"])
    assert row is not None
    assert row.handled_at is None
