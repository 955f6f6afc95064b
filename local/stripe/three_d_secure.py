"""The page on which a bank asks a card's holder whether it is really them."""

from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from local.stripe import confirmation, money
from local.stripe.resources import PAYMENT_INTENT, PAYMENT_METHOD, retrieve
from local.stripe.store import Store, StripeObject, Transaction

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>3-D Secure</title>
<h1>Is it you who pays {amount}?</h1>
<form method="post">
<button name="outcome" value="succeed">Complete authentication</button>
<button name="outcome" value="fail">Fail authentication</button>
</form>
</html>
"""
DONE = "<!doctype html><title>3-D Secure</title><p>Thank you. You can close this page."


def authenticate(tx: Transaction, intent_id: str, *, succeeded: bool) -> StripeObject:
    """Finish the authentication that a PaymentIntent waits for."""
    intent = retrieve(tx, PAYMENT_INTENT, intent_id)
    if intent["status"] != "requires_action":
        raise HTTPException(409, f"{intent_id} does not wait for authentication")
    method = retrieve(tx, PAYMENT_METHOD, intent["payment_method"])
    confirmation.finish_authentication(tx, intent, method, succeeded=succeeded)
    return intent


def router(store: Store) -> APIRouter:
    """Return the page's routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(confirmation.AUTHENTICATION_PAGE)
    async def ask(payment_intent: str, payment_intent_client_secret: str) -> HTMLResponse:
        with store.transaction() as tx:
            intent = _intent(tx, payment_intent, payment_intent_client_secret)
        amount = money.spoken(intent["amount"], intent["currency"])
        return HTMLResponse(PAGE.format(amount=escape(amount)))

    @routes.post(confirmation.AUTHENTICATION_PAGE)
    async def answer(
        payment_intent: str, payment_intent_client_secret: str, request: Request
    ) -> Response:
        outcome = parse_qs((await request.body()).decode()).get("outcome")
        with store.transaction() as tx:
            waiting = _intent(tx, payment_intent, payment_intent_client_secret)
            authenticate(tx, payment_intent, succeeded=outcome == ["succeed"])
        redirect = (waiting["next_action"] or {}).get("redirect_to_url")
        if redirect is None:
            return HTMLResponse(DONE)
        return RedirectResponse(_return_url(redirect["return_url"], waiting), 303)

    return routes


def _intent(tx: Transaction, intent_id: str, client_secret: str) -> StripeObject:
    intent = tx.get(intent_id)
    if intent is None or intent.get("client_secret") != client_secret:
        raise HTTPException(404, "No such payment_intent")
    return intent


def _return_url(url: str, intent: StripeObject) -> str:
    """Return where the customer goes on, told as Stripe tells it which payment this was about."""
    parts = urlsplit(url)
    added = urlencode(
        {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "source_type": "card",
        }
    )
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit(parts._replace(query=query))
