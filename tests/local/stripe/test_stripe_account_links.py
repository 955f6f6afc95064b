"""Account links: a page for the account's holder, once and for five minutes."""

from typing import Any

import httpx
import pytest
import stripe

from tests.local.stripe.stripe_harness import Api

RETURN_URL = "https://shop.example.com/onboarding/done?chef=7"
REFRESH_URL = "https://shop.example.com/onboarding/again"


@pytest.fixture
def account(client: stripe.StripeClient) -> str:
    """Return an account about which nothing is known yet."""
    asked: Any = {"capabilities": {"transfers": {"requested": True}}, "email": "<chef>@example.com"}
    return client.v1.accounts.create(asked).id


def link(client: stripe.StripeClient, account: str, **change: str) -> stripe.AccountLink:
    """Return a link to an account's onboarding."""
    parameters: Any = {
        "account": account,
        "refresh_url": REFRESH_URL,
        "return_url": RETURN_URL,
        "type": "account_onboarding",
    }
    return client.v1.account_links.create(parameters | change)


def submit(url: str, outcome: str = "finished") -> httpx.Response:
    """Press one of the page's buttons."""
    return httpx.post(url, data={"outcome": outcome})


def test_link_leads_to_a_page_of_ours(api: Api, client: stripe.StripeClient, account: str) -> None:
    made = link(client, account)
    assert made.expires_at - made.created == 300
    assert made.url.startswith(f"{api.url}/setup/e/{account}/")
    page = httpx.get(made.url)
    assert page.is_success
    assert page.text.count("<button") == 3
    assert "&lt;chef&gt;@example.com" in page.text


@pytest.mark.parametrize(
    ("outcome", "submitted", "enabled", "due"),
    [
        ("finished", True, True, []),
        ("unfinished", True, False, ["individual.verification.document"]),
        ("restricted", True, False, []),
    ],
)
def test_page_decides_and_sends_the_holder_back(
    client: stripe.StripeClient,
    account: str,
    outcome: str,
    submitted: bool,
    enabled: bool,
    due: list[str],
) -> None:
    url = link(client, account).url
    httpx.get(url)
    answer = submit(url, outcome)
    assert (answer.status_code, answer.headers["Location"]) == (303, RETURN_URL)
    shown = client.v1.accounts.retrieve(account).to_dict()
    assert (shown["details_submitted"], shown["payouts_enabled"]) == (submitted, enabled)
    assert shown["requirements"]["currently_due"] == due


def test_account_can_come_back_to_finish(client: stripe.StripeClient, account: str) -> None:
    submit(link(client, account).url, "unfinished")
    submit(link(client, account).url, "finished")
    assert client.v1.accounts.retrieve(account).payouts_enabled


def test_link_is_good_once(client: stripe.StripeClient, account: str) -> None:
    url = link(client, account).url
    httpx.get(url)
    again = httpx.get(url)
    assert (again.status_code, again.headers["Location"]) == (303, REFRESH_URL)
    submit(url, "unfinished")
    again = submit(url, "finished")
    assert (again.status_code, again.headers["Location"]) == (303, REFRESH_URL)
    assert not client.v1.accounts.retrieve(account).payouts_enabled


def test_link_expires(fresh: Api) -> None:
    client = fresh.client()
    account = client.v1.accounts.create({}).id
    old, opened = link(client, account).url, link(client, account).url
    httpx.get(opened)
    fresh.control("POST", "clock", {"advance_seconds": 301})
    for answer in (httpx.get(old), submit(old)):
        assert (answer.status_code, answer.headers["Location"]) == (303, REFRESH_URL)
    assert not client.v1.accounts.retrieve(account).details_submitted
    assert submit(opened).headers["Location"] == RETURN_URL
    assert client.v1.accounts.retrieve(account).details_submitted


def test_page_is_closed_to_strangers(client: stripe.StripeClient, account: str) -> None:
    url = link(client, account).url
    assert httpx.get(f"{url}x").status_code == 404
    assert submit(f"{url}x").status_code == 404
    assert submit(url, "bribed").status_code == 422
    assert not client.v1.accounts.retrieve(account).details_submitted


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"return_url": "nowhere"}, "url_invalid", "return_url"),
        ({"type": "account_closing"}, None, "type"),
        # The holder deals with Stripe, not with us.
        ({"type": "account_update"}, None, "type"),
    ],
)
def test_bad_link_is_refused(
    client: stripe.StripeClient, account: str, change: dict[str, str], code: str, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        link(client, account, **change)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_link_for_nobody_is_forbidden(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError, match="'acct_no'"):
        link(client, "acct_no")


def test_account_that_the_platform_onboards_itself_can_be_updated(
    client: stripe.StripeClient,
) -> None:
    controller: Any = {
        "requirement_collection": "application",
        "stripe_dashboard": {"type": "none"},
    }
    account = client.v1.accounts.create({"controller": controller}).id
    assert link(client, account, type="account_update").url
