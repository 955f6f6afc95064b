"""What Stripe knows about the people behind an account, and what the account may do therefore."""

from enum import StrEnum

from local.stripe import events, external_accounts
from local.stripe.store import Json, StripeObject, Transaction

PERSONAL_DETAILS = (
    "dob.day",
    "dob.month",
    "dob.year",
    "email",
    "first_name",
    "last_name",
    "phone",
    "ssn_last_4",
)
NOTHING_DUE: StripeObject = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


class Standing(StrEnum):
    """How far an account's holder has come with Stripe's questions."""

    NEW = "new"  # nothing was answered yet
    FINISHED = "finished"  # all was answered: the account may do what it asks for
    UNFINISHED = "unfinished"  # answers were submitted, a document is missing
    RESTRICTED = "restricted"  # all was answered, and Stripe does not like it


def reach(tx: Transaction, account: StripeObject, standing: Standing) -> None:
    """Give an account another standing, and tell."""
    tx.note(account["id"], standing=standing)
    changes: dict[str, Json] = {}
    if standing is not Standing.NEW and not account["external_accounts"]["data"]:
        changes["external_accounts"] = external_accounts.add(tx, account)
    update(tx, account, **changes)


def update(tx: Transaction, account: StripeObject, **changes: Json) -> None:
    """Change an account, and what follows from its standing; tell if that changed anything."""
    private = tx.private(account["id"])
    after = account | changes
    follows = _following(after, Standing(private["standing"]), private["requested"])
    previous = tx.change(account, **changes, **follows)
    if previous:
        with tx.acting_for(account["id"]):
            events.emit(tx, "account.updated", account, previous)


def blank(account: StripeObject, requested: StripeObject) -> StripeObject:
    """Return what follows for a new account that asks for some capabilities."""
    return _following(account, Standing.NEW, requested)


def _following(
    account: StripeObject, standing: Standing, requested: StripeObject
) -> dict[str, Json]:
    """Return the fields of an account that its standing decides."""
    finished = standing is Standing.FINISHED
    return {
        "capabilities": dict.fromkeys(sorted(requested), "active" if finished else "inactive"),
        "charges_enabled": finished,
        "details_submitted": standing is not Standing.NEW,
        "payouts_enabled": finished,
        "requirements": _requirements(account, standing),
    }


def _requirements(account: StripeObject, standing: Standing) -> StripeObject:
    match standing:
        case Standing.FINISHED:
            return NOTHING_DUE
        case Standing.RESTRICTED:
            return NOTHING_DUE | {"disabled_reason": "under_review"}
        case Standing.UNFINISHED:
            due = [f"{_person(account)}.verification.document"]
        case Standing.NEW:
            due = _asked_first(account)
    return NOTHING_DUE | {
        "currently_due": due,
        "disabled_reason": "requirements.past_due",
        "eventually_due": due,
        "past_due": due,
    }


def _person(account: StripeObject) -> str:
    """Return what requirements call the person to be verified."""
    return "representative" if account["business_type"] == "company" else "individual"


def _asked_first(account: StripeObject) -> list[str]:
    due = ["tos_acceptance.date", "tos_acceptance.ip"]
    if not account["external_accounts"]["data"]:
        due.append("external_account")
    if account["business_type"] is None:
        due.append("business_type")
    else:
        due += [f"{_person(account)}.{detail}" for detail in PERSONAL_DETAILS]
    if account["business_type"] == "company":
        due += ["company.name", "company.tax_id"]
    return sorted(due)
