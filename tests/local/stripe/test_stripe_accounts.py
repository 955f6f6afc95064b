"""Connected accounts: who they are, what they may do, and what they still owe Stripe."""

from typing import Any

import httpx
import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, Receiver, error_of

EXPRESS: Any = {
    "country": "US",
    "email": "chef@example.com",
    "business_type": "individual",
    "controller": {
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
    },
    "capabilities": {"transfers": {"requested": True}},
    "settings": {"payouts": {"schedule": {"interval": "manual"}}},
    "metadata": {"chef": "7"},
}


def answer(api: Api, account_id: str, outcome: str) -> Any:
    """Answer Stripe's questions in place of an account's holder."""
    return api.control("POST", f"accounts/{account_id}", {"outcome": outcome})


def test_new_account_owes_answers(client: stripe.StripeClient) -> None:
    made = client.v1.accounts.create(EXPRESS).to_dict()
    assert made["id"].startswith("acct_")
    assert (made["details_submitted"], made["charges_enabled"], made["payouts_enabled"]) == (
        False,
        False,
        False,
    )
    assert made["capabilities"] == {"transfers": "inactive"}
    assert made["controller"] == EXPRESS["controller"] | {
        "is_controller": True,
        "type": "application",
    }
    assert made["settings"]["payouts"]["schedule"]["interval"] == "manual"
    assert (made["email"], made["metadata"]) == ("chef@example.com", {"chef": "7"})
    due = made["requirements"]["currently_due"]
    assert {"external_account", "individual.first_name", "tos_acceptance.date"} <= set(due)
    assert made["requirements"]["disabled_reason"] == "requirements.past_due"
    assert client.v1.accounts.retrieve(made["id"]).to_dict() == made


@pytest.mark.parametrize(
    ("given", "account_type", "dashboard"),
    [
        ({}, "standard", "full"),
        ({"type": "express"}, "express", "express"),
        ({"type": "custom"}, "custom", "none"),
        ({"controller": EXPRESS["controller"]}, "none", "express"),
    ],
)
def test_account_is_of_the_type_asked_for(
    client: stripe.StripeClient, given: Any, account_type: str, dashboard: str
) -> None:
    made = client.v1.accounts.create(given).to_dict()
    assert made["type"] == account_type
    assert made["controller"]["stripe_dashboard"]["type"] == dashboard


@pytest.mark.parametrize(
    ("business_type", "due"),
    [(None, "business_type"), ("company", "representative.first_name")],
)
def test_what_is_due_depends_on_the_business(
    client: stripe.StripeClient, business_type: Any, due: str
) -> None:
    given = {"business_type": business_type} if business_type else {}
    parameters: Any = given
    made = client.v1.accounts.create(parameters).to_dict()
    assert due in made["requirements"]["currently_due"]


def test_finished_account_may_be_paid(api: Api, client: stripe.StripeClient) -> None:
    account_id = client.v1.accounts.create(EXPRESS).id
    answer(api, account_id, "finished")
    shown = client.v1.accounts.retrieve(account_id).to_dict()
    assert (shown["details_submitted"], shown["charges_enabled"], shown["payouts_enabled"]) == (
        True,
        True,
        True,
    )
    assert shown["capabilities"] == {"transfers": "active"}
    assert shown["requirements"]["currently_due"] == []
    assert shown["requirements"]["disabled_reason"] is None
    (bank,) = shown["external_accounts"]["data"]
    assert (bank["last4"], bank["currency"], bank["account"]) == ("6789", "usd", account_id)


@pytest.mark.parametrize(
    ("outcome", "due", "reason"),
    [
        ("unfinished", ["individual.verification.document"], "requirements.past_due"),
        ("restricted", [], "under_review"),
    ],
)
def test_account_with_bad_answers_may_not_be_paid(
    api: Api, client: stripe.StripeClient, outcome: str, due: list[str], reason: str
) -> None:
    account_id = client.v1.accounts.create(EXPRESS).id
    answer(api, account_id, outcome)
    shown = client.v1.accounts.retrieve(account_id).to_dict()
    assert (shown["details_submitted"], shown["payouts_enabled"]) == (True, False)
    assert shown["capabilities"] == {"transfers": "inactive"}
    assert shown["requirements"]["currently_due"] == due
    assert shown["requirements"]["disabled_reason"] == reason


def test_finished_account_can_be_restricted_and_finished_again(
    api: Api, client: stripe.StripeClient
) -> None:
    account_id = api.connected()
    answer(api, account_id, "restricted")
    assert not client.v1.accounts.retrieve(account_id).payouts_enabled
    answer(api, account_id, "finished")
    assert client.v1.accounts.retrieve(account_id).payouts_enabled


def test_account_is_changed(client: stripe.StripeClient) -> None:
    account_id = client.v1.accounts.create(EXPRESS).id
    changed = client.v1.accounts.update(
        account_id,
        {
            "email": "cook@example.com",
            "metadata": {"chef": "", "cook": "8"},
            "business_profile": {"name": "Cook", "mcc": "5812"},
            "settings": {"payouts": {"statement_descriptor": "COOK"}},
        },
    ).to_dict()
    assert (changed["email"], changed["metadata"]) == ("cook@example.com", {"cook": "8"})
    assert changed["business_profile"]["mcc"] == "5812"
    payouts = changed["settings"]["payouts"]
    assert (payouts["statement_descriptor"], payouts["schedule"]["interval"]) == ("COOK", "manual")


@pytest.mark.parametrize(
    ("bank", "last4"),
    [
        ("btok_us_verified", "6789"),
        (
            {
                "object": "bank_account",
                "country": "US",
                "currency": "usd",
                "account_number": "000111111116",
                "routing_number": "110000000",
            },
            "1116",
        ),
    ],
)
def test_bank_account_is_no_longer_due_once_given(
    client: stripe.StripeClient, bank: Any, last4: str
) -> None:
    made = client.v1.accounts.create(EXPRESS | {"external_account": bank}).to_dict()
    assert "external_account" not in made["requirements"]["currently_due"]
    assert made["external_accounts"]["data"][0]["last4"] == last4


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"country": "XX"}, "country_unsupported", "country"),
        ({"external_account": "tok_no"}, "resource_missing", "external_account"),
        ({"capabilities": {"flying": {"requested": True}}}, "parameter_unknown", None),
        ({"business_type": "band"}, None, "business_type"),
        (EXPRESS | {"type": "express"}, None, "type"),
        ({"controller": {"fees": {"payer": "me"}}}, None, "controller[fees][payer]"),
    ],
)
def test_bad_account_is_refused(
    client: stripe.StripeClient, change: Any, code: str | None, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.accounts.create(change)
    assert refused.value.code == code
    assert param in (None, refused.value.param)


def test_accounts_are_listed_and_deleted(fresh: Api) -> None:
    client = fresh.client()
    first, second = fresh.connected(), client.v1.accounts.create(EXPRESS).id
    assert [found.id for found in client.v1.accounts.list().data] == [second, first]
    assert client.v1.accounts.delete(second).deleted
    assert [found.id for found in client.v1.accounts.list().data] == [first]
    with pytest.raises(stripe.PermissionError, match="does not have access"):
        client.v1.accounts.retrieve(second)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        answer(fresh, second, "finished")
    assert refused.value.response.status_code == 404


def test_account_with_money_is_not_deleted(api: Api, client: stripe.StripeClient) -> None:
    account_id = api.connected()
    api.fund(1, account_id)
    with pytest.raises(stripe.InvalidRequestError, match="balance is not zero"):
        client.v1.accounts.delete(account_id)


def test_account_that_nobody_has_is_forbidden(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.accounts.retrieve("acct_no")
    # The SDK leaves the code of a 403 to whoever reads its body.
    assert (refused.value.http_status, error_of(refused)["code"]) == (403, "account_invalid")
    assert "'acct_no' (or that account does not exist)" in str(refused.value)


def test_capabilities_are_asked_for_one_by_one(api: Api, client: stripe.StripeClient) -> None:
    account_id = client.v1.accounts.create({}).id
    capabilities = client.v1.accounts.capabilities
    before = capabilities.retrieve(account_id, "transfers")
    assert (before.requested, before.status, before.requested_at) == (False, "unrequested", None)
    asked = capabilities.update(account_id, "transfers", {"requested": True})
    assert (asked.requested, asked.status) == (True, "inactive")
    assert asked.requirements is not None
    assert asked.requirements.disabled_reason == "requirements.fields_needed"
    answer(api, account_id, "finished")
    (active,) = capabilities.list(account_id).data
    assert (active.id, active.status, active.account) == ("transfers", "active", account_id)
    capabilities.update(account_id, "transfers", {"requested": False})
    assert capabilities.list(account_id).data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such capability"):
        capabilities.retrieve(account_id, "flying")


def test_account_of_ones_own_choice_is_made_once(api: Api, client: stripe.StripeClient) -> None:
    fields = {"id": "acct_chef7", "email": "chef@example.com", "metadata": {"chef": "7"}}
    made = api.control("POST", "accounts", fields)
    assert (made["id"], made["payouts_enabled"]) == ("acct_chef7", True)
    again = api.control("POST", "accounts", {"id": "acct_chef7", "email": "other@example.com"})
    assert again == made == client.v1.accounts.retrieve("acct_chef7").to_dict()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("accounts", {"id": "chef"}, 422),
        ("accounts", {"id": "acct_1RideNDineLocal"}, 409),
        ("accounts/acct_no", {"outcome": "finished"}, 404),
        ("accounts/acct_no/payouts", {"outcome": "held"}, 404),
        ("accounts/acct_1RideNDineLocal/payouts", {"outcome": "lost"}, 422),
        ("balance", {"amount": 0}, 422),
        ("balance", {"amount": 10**30}, 422),
        ("balance", {"amount": 1, "account": "acct_no"}, 404),
        ("balance", {"amount": 1, "currency": "xyz"}, 400),
        ("payouts/po_no/settle", {"outcome": "paid"}, 404),
        ("clock", {"advance_seconds": -1}, 422),
    ],
)
def test_bad_control_is_refused(api: Api, path: str, body: Any, status: int) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        api.control("POST", path, body)
    assert refused.value.response.status_code == status


def test_only_connect_endpoints_hear_of_accounts(fresh: Api, receiver: Receiver) -> None:
    client = fresh.client()
    endpoints = client.v1.webhook_endpoints
    endpoints.create({"url": f"{receiver.url}?ours", "enabled_events": ["*"]})
    theirs = endpoints.create(
        {"url": receiver.url, "enabled_events": ["account.updated"], "connect": True}
    )
    account_id = client.v1.accounts.create(EXPRESS).id
    answer(fresh, account_id, "finished")
    event = receiver.next()
    assert (event["type"], event["account"]) == ("account.updated", account_id)
    assert event["data"]["object"]["payouts_enabled"]
    previous = event["data"]["previous_attributes"]
    assert (previous["payouts_enabled"], previous["details_submitted"]) == (False, False)
    assert previous["capabilities"] == {"transfers": "inactive"}
    assert {owed["endpoint"] for owed in fresh.deliveries()} == {theirs.id}
    assert client.v1.events.list({"type": "account.updated"}).data == []
    (kept,) = client.v1.events.list({}, {"stripe_account": account_id}).data
    assert kept.id == event["id"]


def test_account_that_does_not_change_is_not_told_of(fresh: Api) -> None:
    account_id = fresh.connected()
    options: stripe.RequestOptions = {"stripe_account": account_id}
    before = len(fresh.client().v1.events.list({}, options).data)
    answer(fresh, account_id, "finished")
    fresh.client().v1.accounts.update(account_id, {"metadata": {}})
    assert len(fresh.client().v1.events.list({}, options).data) == before
