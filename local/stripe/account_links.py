"""Account links, and the pages behind them, on which an account's holder answers questions."""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from local.stripe import accounts, clock, standing
from local.stripe.errors import InvalidRequest
from local.stripe.operations import Operation
from local.stripe.params import Params, Required, Spec, one_of, text, web_address
from local.stripe.resources import random_text
from local.stripe.standing import Standing
from local.stripe.store import Store, StripeObject, Transaction

PATH = "/v1/account_links"
PAGE_PATH = "/setup/e"

VALID_SECONDS = 5 * 60

# What the holder can do on the page.
OUTCOMES = (Standing.FINISHED, Standing.UNFINISHED, Standing.RESTRICTED)

CREATE: Spec = {
    "account": Required(text),
    "refresh_url": Required(web_address),
    "return_url": Required(web_address),
    "type": Required(one_of("account_onboarding", "account_update")),
}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Onboarding</title>
<h1>Who is {who}?</h1>
<form method="post">
<button name="outcome" value="finished">Submit everything</button>
<button name="outcome" value="unfinished">Submit without a document</button>
<button name="outcome" value="restricted">Submit what Stripe will not like</button>
</form>
</html>
"""


def router(store: Store) -> APIRouter:
    """Return the pages' routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"{PAGE_PATH}/{{account_id}}/{{secret}}")
    async def ask(account_id: str, secret: str) -> Response:
        with store.transaction() as tx:
            link = _link(tx, account_id, secret)
            if link["opened"] or link["expires_at"] <= clock.now():
                return RedirectResponse(link["refresh_url"], 303)
            tx.execute("UPDATE account_links SET opened = 1 WHERE secret = ?", secret)
            account = accounts.find(tx, account_id)
        return HTMLResponse(PAGE.format(who=escape(account["email"] or account_id)))

    @routes.post(f"{PAGE_PATH}/{{account_id}}/{{secret}}")
    async def answer(account_id: str, secret: str, request: Request) -> Response:
        outcome = parse_qs((await request.body()).decode()).get("outcome", [""])[0]
        if outcome not in OUTCOMES:
            raise HTTPException(422, f"An outcome is one of {', '.join(OUTCOMES)}")
        with store.transaction() as tx:
            link = _link(tx, account_id, secret)
            # Who has the page open may take their time.
            expired = not link["opened"] and link["expires_at"] <= clock.now()
            if link["answered"] or expired:
                return RedirectResponse(link["refresh_url"], 303)
            tx.execute("UPDATE account_links SET opened = 1, answered = 1 WHERE secret = ?", secret)
            standing.reach(tx, accounts.find(tx, account_id), Standing(outcome))
        return RedirectResponse(link["return_url"], 303)

    return routes


def _link(tx: Transaction, account_id: str, secret: str) -> dict[str, Any]:
    names = ("refresh_url", "return_url", "expires_at", "opened", "answered")
    row = tx.execute(
        f"SELECT {', '.join(names)} FROM account_links WHERE account = ? AND secret = ?",  # noqa: S608
        account_id,
        secret,
    ).fetchone()
    if row is None:
        raise HTTPException(404, "No such account link")
    return dict(zip(names, row, strict=True))


def _create(tx: Transaction, params: Params) -> StripeObject:
    account = accounts.find(tx, params["account"])
    if (
        params["type"] == "account_update"
        and account["controller"]["requirement_collection"] == "stripe"
    ):
        raise InvalidRequest(
            "You cannot create `account_update` type Account Links for this account. Valid types "
            "are: `account_onboarding`.",
            param="type",
        )
    now, secret = clock.now(), random_text(24)
    tx.execute(
        "INSERT INTO account_links (secret, account, refresh_url, return_url, expires_at) "
        "VALUES (?, ?, ?, ?, ?)",
        secret,
        account["id"],
        params["refresh_url"],
        params["return_url"],
        now + VALID_SECONDS,
    )
    return {
        "object": "account_link",
        "created": now,
        "expires_at": now + VALID_SECONDS,
        "url": f"{tx.origin.base_url}{PAGE_PATH}/{account['id']}/{secret}",
    }


OPERATIONS = (Operation("POST", PATH, _create, CREATE),)
