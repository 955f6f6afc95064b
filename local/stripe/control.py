"""The door that Stripe has not: through it tests and demos make Stripe misbehave.

It speaks JSON, wants no key, and all of it is under `/_control/` (a form to try it is at
`/_control/docs`).

`POST /_control/faults` has a fault befall requests; `GET` shows those that wait, `DELETE` forgets
them. Its fields: `match`, a method and the beginning of a path with `*` for anything
(`POST /v1/refunds`, `* /v1/`); `kind`; `times`, how many requests (1); `skip`, how many matching
requests pass first (0); `seconds`, for `slow`. Kinds:
    rate_limit    429, nothing executed
    server_error  500, nothing executed, kept under the Idempotency-Key and replayed
    refused       400 for too little on the account, nothing executed, kept and replayed as well
    slow          waits, then executes
    drop_before   the connection breaks, nothing executed
    drop_after    executed and committed, then the connection breaks without a byte

`POST /_control/webhooks` sets how webhooks behave from the next event on: `duplicates` (each event
is delivered so many times in all), `delay_seconds`, `reorder` with `seed` (events that are due
together go out shuffled, the same way for every seed) and `paused`, which holds at once for all
that is owed. What is left out is back to normal. `GET` shows it, `DELETE` goes back to normal. For
an order that depends on the seed alone: pause and reorder, act, then un-pause.

`GET /_control/deliveries?event=&type=&status=` shows deliveries and each attempt; a status is
`owed`, `delivered`, `abandoned` or `dropped`. `POST /_control/deliveries/resend {"event": "evt_…"}`
delivers an event again.

`POST /_control/payment_intents/{id}/authenticate {"outcome": "succeed" | "fail"}` finishes 3-D
Secure. `POST /_control/refunds/{id}/settle {"outcome": "succeeded" | "failed"}` decides a refund,
be it pending or thought done. `POST /_control/authorizations/{payment_intent}/expire` lets held
money go as if its seven days were over.

`POST /_control/disputes {"charge" | "payment_intent": id}` opens a dispute on any charge that took
money; `reason` ("fraudulent"), `amount` (all that was not refunded) and `inquiry` (false) may be
added. `POST /_control/disputes/{id}/decide {"outcome": "won" | "lost" | "escalated"}` ends it, with
or without evidence: an inquiry closes without moving money, unless it is escalated to a dispute.

`POST /_control/clock {"advance_seconds": …}` has that much time pass at once, with all that falls
due in it; `GET` shows what time it is. Webhooks are sent, signed and sent again by everybody's
clock, not by this one.

What is about connected accounts is in `control_connect.py`.
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from local.stripe import authorizations, deliveries, disputes, refunds, three_d_secure, timers
from local.stripe.cards import Complaint, RefundOutcome
from local.stripe.catalog import TIMER_ACTIONS
from local.stripe.evidence import Outcome
from local.stripe.faults import Fault, Faults, Kind
from local.stripe.resources import (
    CHARGE,
    DISPUTE,
    EVENT,
    PAYMENT_INTENT,
    REFUND,
    anywhere,
    retrieve,
)
from local.stripe.store import Store, StripeObject, Transaction

PREFIX = "/_control"

# How far the clock goes forward at once: ten years.
MOST_SECONDS = 10 * 365 * 86_400


class Body(BaseModel):
    """A JSON body: fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class FaultBody(Body):
    """A fault, see above."""

    match: str
    kind: Kind
    times: int = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0)
    skip: int = Field(default=0, ge=0)


class WebhooksBody(Body):
    """How webhooks behave, see above."""

    duplicates: int = Field(default=1, ge=1)
    delay_seconds: float = Field(default=0.0, ge=0)
    reorder: bool = False
    seed: int = 0
    paused: bool = False


class ResendBody(Body):
    """Which event to deliver again."""

    event: str


class AuthenticationBody(Body):
    """How 3-D Secure ends."""

    outcome: Literal["succeed", "fail"]


class ClockBody(Body):
    """How much time is to pass."""

    advance_seconds: int = Field(ge=0, le=MOST_SECONDS)


class SettlementBody(Body):
    """How a refund ends."""

    outcome: RefundOutcome


class DisputeBody(Body):
    """A dispute, see above."""

    charge: str | None = None
    payment_intent: str | None = None
    reason: disputes.Reason = "fraudulent"
    amount: int | None = Field(default=None, ge=1)
    inquiry: bool = False

    @model_validator(mode="after")
    def _is_about_one_charge(self) -> Self:
        if (self.charge is None) == (self.payment_intent is None):
            raise ValueError("name either a charge or a payment_intent")
        return self

    def disputed(self, tx: Transaction) -> StripeObject:
        """Return the charge that it is about."""
        if self.charge is not None:
            return retrieve(tx, CHARGE, self.charge, param="charge")
        intent = retrieve(tx, PAYMENT_INTENT, str(self.payment_intent), param="payment_intent")
        if intent["latest_charge"] is None:
            raise HTTPException(409, f"{intent['id']} has no charge")
        return retrieve(tx, CHARGE, intent["latest_charge"])


class DecisionBody(Body):
    """How a dispute ends."""

    outcome: Outcome


def router(store: Store, faults: Faults) -> APIRouter:
    """Return the routes behind this door."""
    routes = APIRouter(prefix=PREFIX)
    _add_faults(routes, faults)
    _add_webhooks(routes, store)
    _add_outcomes(routes, store)
    _add_disputes(routes, store)
    _add_clock(routes, store)
    return routes


def _add_faults(routes: APIRouter, faults: Faults) -> None:
    @routes.post("/faults")
    async def add_fault(body: FaultBody) -> list[Fault]:
        faults.waiting.append(Fault(**body.model_dump()))
        return faults.waiting

    @routes.get("/faults")
    async def show_faults() -> list[Fault]:
        return faults.waiting

    @routes.delete("/faults")
    async def forget_faults() -> list[Fault]:
        faults.waiting.clear()
        return faults.waiting


def _add_webhooks(routes: APIRouter, store: Store) -> None:
    @routes.post("/webhooks")
    async def behave(body: WebhooksBody) -> WebhooksBody:
        with store.transaction() as tx:
            deliveries.behave(tx, deliveries.Behaviour(**body.model_dump()))
        return body

    @routes.get("/webhooks")
    async def show_behaviour() -> WebhooksBody:
        with store.transaction() as tx:
            how = asdict(deliveries.behaviour(tx))
        return WebhooksBody(**{name: how[name] for name in WebhooksBody.model_fields})

    @routes.delete("/webhooks")
    async def behave_normally() -> WebhooksBody:
        return await behave(WebhooksBody())

    @routes.get("/deliveries")
    async def show_deliveries(
        event: str | None = None,
        event_type: Annotated[str | None, Query(alias="type")] = None,
        status: str | None = None,
    ) -> list[dict[str, Any]]:
        with store.transaction() as tx:
            return deliveries.log(tx, event, event_type, status)

    @routes.post("/deliveries/resend")
    async def resend(body: ResendBody) -> dict[str, int]:
        with store.transaction() as tx:
            return {"owed": deliveries.owe(tx, anywhere(tx, EVENT, body.event))}


def _add_outcomes(routes: APIRouter, store: Store) -> None:
    @routes.post("/payment_intents/{intent_id}/authenticate")
    async def authenticate(intent_id: str, body: AuthenticationBody) -> StripeObject:
        with store.transaction() as tx:
            succeeded = body.outcome == "succeed"
            return three_d_secure.authenticate(tx, intent_id, succeeded=succeeded)

    @routes.post("/refunds/{refund_id}/settle")
    async def settle(refund_id: str, body: SettlementBody) -> StripeObject:
        with store.transaction() as tx:
            refund = retrieve(tx, REFUND, refund_id)
            refunds.settle(tx, refund, body.outcome)
            return refund

    @routes.post("/authorizations/{intent_id}/expire")
    async def expire(intent_id: str) -> StripeObject:
        with store.transaction() as tx:
            intent = retrieve(tx, PAYMENT_INTENT, intent_id)
            if intent["status"] != "requires_capture":
                raise HTTPException(409, f"{intent_id} holds no money")
            authorizations.expire(tx, intent_id)
            return retrieve(tx, PAYMENT_INTENT, intent_id)


def _add_disputes(routes: APIRouter, store: Store) -> None:
    @routes.post("/disputes")
    async def dispute(body: DisputeBody) -> StripeObject:
        with store.transaction() as tx:
            complaint = Complaint(body.reason, inquiry=body.inquiry)
            return disputes.begin(tx, body.disputed(tx), complaint, body.amount)

    @routes.post("/disputes/{dispute_id}/decide")
    async def decide(dispute_id: str, body: DecisionBody) -> StripeObject:
        with store.transaction() as tx:
            decided = retrieve(tx, DISPUTE, dispute_id)
            disputes.decide(tx, decided, body.outcome)
            return decided


def _add_clock(routes: APIRouter, store: Store) -> None:
    @routes.post("/clock")
    async def advance(body: ClockBody) -> dict[str, int]:
        store.advance(body.advance_seconds)
        timers.run_due(store, TIMER_ACTIONS, store.now())
        return await show_clock()

    @routes.get("/clock")
    async def show_clock() -> dict[str, int]:
        return {"now": store.now(), "ahead_seconds": store.ahead_seconds}
