"""Connected accounts: those whom the platform pays."""

from local.stripe import balance, clock, external_accounts, paging, standing
from local.stripe.account import ACCOUNT as PLATFORM_ACCOUNT
from local.stripe.errors import Forbidden, InvalidParameter, InvalidRequest
from local.stripe.forms import FormValue
from local.stripe.operations import Operation
from local.stripe.params import (
    Params,
    Reader,
    Spec,
    boolean,
    clearable,
    integer,
    mapping,
    merged,
    metadata,
    one_of,
    text,
)
from local.stripe.resources import ACCOUNT
from local.stripe.standing import Standing
from local.stripe.store import PLATFORM, StripeObject, Transaction

PATH = "/v1/accounts"
ONE = f"{PATH}/{{object_id}}"

# Where accounts can be, and the currency they settle in.
EURO = ("AT", "BE", "DE", "EE", "ES", "FI", "FR", "GR", "IE", "IT", "LT", "LU", "LV", "NL", "PT")
CURRENCIES = dict.fromkeys(EURO, "eur") | {
    "AE": "aed",
    "AU": "aud",
    "BR": "brl",
    "CA": "cad",
    "CH": "chf",
    "CZ": "czk",
    "DK": "dkk",
    "GB": "gbp",
    "HK": "hkd",
    "HU": "huf",
    "JP": "jpy",
    "MX": "mxn",
    "MY": "myr",
    "NO": "nok",
    "NZ": "nzd",
    "PL": "pln",
    "RO": "ron",
    "SE": "sek",
    "SG": "sgd",
    "TH": "thb",
    "US": "usd",
}

CAPABILITIES = ("card_payments", "transfers")
PROFILE_FIELDS = (
    "mcc",
    "name",
    "product_description",
    "support_email",
    "support_phone",
    "support_url",
    "url",
)
# What `type`, the older way to say who deals with an account's holder, stands for.
TYPES: dict[str, StripeObject] = {
    "custom": {
        "fees": {"payer": "application_custom"},
        "losses": {"payments": "application"},
        "requirement_collection": "application",
        "stripe_dashboard": {"type": "none"},
    },
    "express": {
        "fees": {"payer": "application_express"},
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
    },
    "standard": {
        "fees": {"payer": "account"},
        "losses": {"payments": "stripe"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "full"},
    },
}
TYPE_AND_CONTROLLER = (
    "You may not provide the `type` parameter and `controller` parameters simultaneously. They are "
    "mutually exclusive."
)
NOT_A_PLATFORM = (
    "You can only create new accounts if you've signed up for Connect, which you can do at "
    "https://dashboard.stripe.com/connect."
)


def _country(param: str, value: FormValue) -> str:
    country = text(param, value)
    if country not in CURRENCIES:
        raise InvalidParameter(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code "
            "instead, such as 'US', 'EG', or 'GB'.",
            code="country_unsupported",
            param=param,
        )
    return country


def _choice(name: str, *choices: str) -> Reader:
    """Read a hash with one entry that is one of a few words."""
    return mapping({name: one_of(*choices)})


CONTROLLER: Spec = {
    "fees": _choice("payer", "account", "application"),
    "losses": _choice("payments", "application", "stripe"),
    "requirement_collection": one_of("application", "stripe"),
    "stripe_dashboard": _choice("type", "express", "full", "none"),
}
SCHEDULE: Spec = {
    "delay_days": integer(at_least=0, at_most=31),
    "interval": one_of("daily", "manual", "monthly", "weekly"),
    "monthly_anchor": integer(at_least=1, at_most=31),
    "weekly_anchor": text,
}
PAYOUT_SETTINGS: Spec = {
    "debit_negative_balances": boolean,
    "schedule": mapping(SCHEDULE),
    "statement_descriptor": text,
}
UPDATE: Spec = {
    "business_profile": mapping(dict.fromkeys(PROFILE_FIELDS, clearable(text))),
    "business_type": one_of("company", "government_entity", "individual", "non_profit"),
    "capabilities": mapping(dict.fromkeys(CAPABILITIES, mapping({"requested": boolean}))),
    "email": text,
    "external_account": external_accounts.bank_account,
    "metadata": metadata,
    "settings": mapping({"payouts": mapping(PAYOUT_SETTINGS)}),
}
CREATE: Spec = {
    **UPDATE,
    "controller": mapping(CONTROLLER),
    "country": _country,
    "type": one_of(*TYPES),
}


def find(tx: Transaction, account_id: str) -> StripeObject:
    """Return a connected account to whom may know of it: the platform, and the account itself."""
    body = tx.get(account_id)
    known = body is not None and body["object"] == ACCOUNT.name and not body.get("deleted")
    if body is None or not known or tx.account not in (PLATFORM, account_id):
        raise Forbidden(
            f"The provided key '{tx.origin.masked_key}' does not have access to account "
            f"'{account_id}' (or that account does not exist). Application access may have been "
            "revoked.",
            code="account_invalid",
        )
    return body


def create(tx: Transaction, params: Params, account_id: str | None = None) -> StripeObject:
    """Make a connected account about which nothing is known yet."""
    country: str = params.get("country") or PLATFORM_ACCOUNT["country"]
    new_id = account_id or ACCOUNT.new_id()
    account: StripeObject = {
        "id": new_id,
        "object": ACCOUNT.name,
        "business_profile": _business_profile(),
        "business_type": None,
        "controller": _controller(params),
        "country": country,
        "created": clock.now(),
        "default_currency": CURRENCIES[country],
        "email": None,
        "external_accounts": external_accounts.listed(new_id),
        "future_requirements": standing.NOTHING_DUE,
        "metadata": {},
        "settings": _settings(),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": _type(params),
    }
    account |= _changes(tx, account, params)
    requested = _requested({}, params.get("capabilities", {}))
    account |= standing.blank(account, requested)
    tx.insert(account, standing=Standing.NEW, requested=requested)
    return account


def request(tx: Transaction, account: StripeObject, wanted: Params) -> None:
    """Ask for capabilities, or no longer ask for them: `{"transfers": {"requested": True}}`."""
    requested = _requested(tx.private(account["id"])["requested"], wanted)
    tx.note(account["id"], requested=requested)


def _create(tx: Transaction, params: Params) -> StripeObject:
    if tx.account != PLATFORM:
        raise InvalidRequest(NOT_A_PLATFORM)
    if "type" in params and "controller" in params:
        raise InvalidParameter(TYPE_AND_CONTROLLER, param="type")
    return create(tx, params)


def _retrieve(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    if object_id == PLATFORM_ACCOUNT["id"] and tx.account == PLATFORM:
        return PLATFORM_ACCOUNT
    return find(tx, object_id)


def _retrieve_own(tx: Transaction, _: Params) -> StripeObject:
    return PLATFORM_ACCOUNT if tx.account == PLATFORM else find(tx, tx.account)


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    account = find(tx, object_id)
    request(tx, account, params.get("capabilities", {}))
    standing.update(tx, account, **_changes(tx, account, params))
    return account


def _delete(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    account = find(tx, object_id)
    with tx.acting_for(object_id):
        if not balance.is_empty(tx):
            raise InvalidRequest(
                "This account cannot be deleted because its balance is not zero.",
                param="account",
            )
    deleted = {"id": account["id"], "object": ACCOUNT.name, "deleted": True}
    tx.replace(deleted)
    return deleted


def _changes(tx: Transaction, account: StripeObject, params: Params) -> StripeObject:
    """Return the fields of an account that `params` change, in full."""
    changes = {
        name: value
        for name, value in params.items()
        if name in ("business_profile", "business_type", "email", "metadata", "settings")
    }
    if "business_profile" in changes:
        changes["business_profile"] = account["business_profile"] | changes["business_profile"]
    if "external_account" in params:
        changes["external_accounts"] = external_accounts.add(
            tx, account, params["external_account"]
        )
    if "metadata" in changes:
        changes["metadata"] = merged(account["metadata"], changes["metadata"])
    if "settings" in changes:
        changes["settings"] = _merged_settings(account["settings"], changes["settings"])
    return changes


def _requested(before: StripeObject, wanted: Params) -> StripeObject:
    """Return since when which capabilities are asked for."""
    requested = dict(before)
    for name, answer in wanted.items():
        if answer.get("requested"):
            requested.setdefault(name, clock.now())
        elif "requested" in answer:
            requested.pop(name, None)
    return requested


def _type(params: Params) -> str:
    """Return the type of a new account: none if its controller says more than a type could."""
    type_name: str = params.get("type", "none" if "controller" in params else "standard")
    return type_name


def _controller(params: Params) -> StripeObject:
    """Return who controls a new account; unless told otherwise, its holder deals with Stripe."""
    controller = TYPES[params.get("type", "standard")] | {
        "is_controller": True,
        "type": "application",
    }
    return {**controller, **params.get("controller", {})}


def _business_profile() -> StripeObject:
    empty = ("annual_revenue", "estimated_worker_count", "support_address")
    return dict.fromkeys((*empty, *PROFILE_FIELDS))


def _settings() -> StripeObject:
    return {
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": {"statement_descriptor": None},
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
    }


def _merged_settings(before: StripeObject, given: Params) -> StripeObject:
    payouts = before["payouts"] | given.get("payouts", {})
    payouts["schedule"] = before["payouts"]["schedule"] | payouts["schedule"]
    return before | {"payouts": payouts}


OPERATIONS = (
    Operation("GET", "/v1/account", _retrieve_own),
    Operation("POST", PATH, _create, CREATE),
    paging.listing(ACCOUNT, PATH),
    Operation("GET", ONE, _retrieve),
    Operation("POST", ONE, _update, UPDATE),
    Operation("DELETE", ONE, _delete),
)
