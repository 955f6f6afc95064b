"""What every request goes through: API keys, headers, errors, addresses."""

import base64

import pytest
import stripe

from local.stripe.account import API_VERSION
from tests.local.stripe.stripe_harness import PUBLISHABLE_KEY, SECRET_KEY, Api, error_of


def test_request_without_a_key_is_refused(api: Api) -> None:
    response = api.http("GET", "/v1/balance", Authorization="")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Stripe"'
    assert "You did not provide an API key" in response.json()["error"]["message"]


@pytest.mark.parametrize("key", ["sk_live_0123456789abcdef", "nonsense_of_some_length"])
def test_key_that_is_no_test_key_is_refused_and_masked(api: Api, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as refused:
        api.client(key).v1.balance.retrieve()
    assert refused.value.http_status == 401
    assert key not in str(refused.value)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_bearer_key_is_accepted(api: Api, scheme: str) -> None:
    assert api.http("GET", "/v1/balance", Authorization=f"{scheme} {SECRET_KEY}").is_success


def test_key_as_basic_user_name_is_accepted(api: Api) -> None:
    credentials = base64.b64encode(f"{SECRET_KEY}:".encode()).decode()
    assert api.http("GET", "/v1/balance", Authorization=f"Basic {credentials}").is_success


@pytest.mark.parametrize("credentials", ["not base64!", "/w=="])
def test_malformed_basic_credentials_are_refused(api: Api, credentials: str) -> None:
    response = api.http("GET", "/v1/balance", Authorization=f"Basic {credentials}")
    assert response.status_code == 401


def test_publishable_key_may_not_do_what_a_secret_key_may(api: Api) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        api.client(PUBLISHABLE_KEY).v1.customers.create({"email": "a@example.com"})
    assert refused.value.http_status == 403
    assert error_of(refused)["code"] == "secret_key_required"
    found = api.client().v1.customers.list({"email": "a@example.com"})
    assert found.data == []


def test_answer_names_the_request_and_the_version(api: Api) -> None:
    response = api.http("GET", "/v1/balance")
    assert response.headers["Request-Id"].startswith("req_")
    assert response.headers["Stripe-Version"] == API_VERSION


def test_version_that_was_asked_for_is_echoed(api: Api) -> None:
    response = api.http("GET", "/v1/balance", **{"Stripe-Version": "2025-01-27.acacia"})
    assert response.headers["Stripe-Version"] == "2025-01-27.acacia"


def test_unknown_address_is_refused_in_stripes_words(api: Api) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
        api.client().raw_request("get", "/v1/crystal_balls")
    assert refused.value.http_status == 404


@pytest.mark.parametrize(
    ("path", "param", "message"),
    [
        ("/v1/payment_intents/pi_no", "intent", "No such payment_intent: 'pi_no'"),
        ("/v1/charges/ch_no", "id", "No such charge: 'ch_no'"),
        ("/v1/refunds/re_no", "id", "No such refund: 're_no'"),
        ("/v1/customers/cus_no", "id", "No such customer: 'cus_no'"),
        ("/v1/payment_methods/pm_no", "payment_method", "No such PaymentMethod: 'pm_no'"),
        ("/v1/balance_transactions/txn_no", "id", "No such balance transaction: 'txn_no'"),
        ("/v1/events/evt_no", "id", "No such event: 'evt_no'"),
        ("/v1/webhook_endpoints/we_no", "webhook_endpoint", "No such webhook endpoint: 'we_no'"),
    ],
)
def test_unknown_id_is_a_404_that_names_it(api: Api, path: str, param: str, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        api.client().raw_request("get", path)
    assert refused.value.http_status == 404
    assert (refused.value.code, refused.value.param) == ("resource_missing", param)


def test_id_of_another_kind_is_unknown(api: Api) -> None:
    customer = api.client().v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="No such charge"):
        api.client().v1.charges.retrieve(customer.id)


def test_unknown_id_in_a_parameter_is_a_400_that_names_the_parameter(api: Api) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_no'") as refused:
        api.client().v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": "cus_no"}
        )
    assert refused.value.http_status == 400
    assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")


def test_error_links_to_the_documentation_and_to_the_log(api: Api) -> None:
    response = api.http("POST", "/v1/refunds", "colour=red")
    error = response.json()["error"]
    assert error["doc_url"] == "https://docs.stripe.com/error-codes/parameter-unknown"
    assert response.headers["Request-Id"] in error["request_log_url"]
    assert error["type"] == "invalid_request_error"


def test_account_of_the_key_is_shown(api: Api) -> None:
    account = api.client().v1.accounts.retrieve_current()
    assert account.charges_enabled


# The SDK hands its form to httpx in a way that httpx has deprecated.
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
async def test_async_sdk_works_as_well(api: Api) -> None:
    http = stripe.HTTPXClient()
    client = stripe.StripeClient(SECRET_KEY, base_addresses={"api": api.url}, http_client=http)
    intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})
    again = await client.v1.payment_intents.retrieve_async(intent.id)
    assert again.status == "requires_payment_method"
    await http.close_async()  # type: ignore[no-untyped-call]
