"""The way of one API request: faults, API key, Idempotency-Key, parameters, execution, answer."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from local.stripe import accounts, authentication, forms, idempotency, params
from local.stripe.account import ACCOUNT, API_VERSION
from local.stripe.answers import Answer
from local.stripe.catalog import RENDERER
from local.stripe.errors import (
    BalanceInsufficient,
    MissingResource,
    PaymentFailed,
    RateLimited,
    ServerError,
    StripeError,
    Unauthenticated,
)
from local.stripe.faults import BrokenConnection, Fault, Faults, Kind
from local.stripe.forms import Form
from local.stripe.idempotency import IdempotentRequest, InFlight
from local.stripe.operations import Operation
from local.stripe.resources import random_text
from local.stripe.store import PLATFORM, Origin, Store, Transaction


@dataclass(frozen=True)
class Call:
    """One request, read but not yet executed."""

    operation: Operation
    path_ids: dict[str, str]
    form: Form
    origin: Origin
    request_id: str
    idempotent: IdempotentRequest | None


class Gateway:
    """Takes API requests from HTTP to their answers."""

    def __init__(self, store: Store, faults: Faults) -> None:
        """Execute on `store` what `faults` let pass."""
        self._store = store
        self._faults = faults
        self._in_flight = InFlight()

    async def serve(self, operation: Operation, request: Request) -> Response:
        """Answer one request, or break its connection."""
        body = (await request.body()).decode(errors="replace")
        fault = self._faults.strike(request.method, request.url.path)
        kind = None if fault is None else fault.kind
        if kind is Kind.DROP_BEFORE:
            return BrokenConnection()
        request_id = f"req_{random_text(14)}"
        try:
            call = _read(operation, request, body, request_id)
            if kind is Kind.RATE_LIMIT:
                raise RateLimited
            answer = await self._answer(call, fault)
        except StripeError as error:
            answer = Answer.refusing(error, request_id)
        if kind is Kind.DROP_AFTER:
            return BrokenConnection()
        return _respond(request, answer, request_id)

    async def refuse_unknown(self, request: Request) -> Response:
        """Answer a request for something that the API does not have."""
        request_id = f"req_{random_text(14)}"
        try:
            authentication.identify(request.headers.get("authorization"))
            raise MissingResource(
                f"Unrecognized request URL ({request.method}: {request.url.path}). Please see "
                "https://stripe.com/docs or we can help at https://support.stripe.com/."
            )
        except StripeError as error:
            return _respond(request, Answer.refusing(error, request_id), request_id)

    async def _answer(self, call: Call, fault: Fault | None) -> Answer:
        """Execute a call, unless its Idempotency-Key was answered before."""
        if call.idempotent is None:
            return await self._execute(call, fault)
        with self._in_flight.claim(call.idempotent):
            with self._store.transaction() as tx:
                known = idempotency.recall(tx, call.idempotent)
            return known or await self._execute(call, fault)

    async def _execute(self, call: Call, fault: Fault | None) -> Answer:
        """Do what is asked and commit it together with the memory of the answer."""
        kind = None if fault is None else fault.kind
        if fault is not None and kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        with self._store.transaction(call.origin) as tx:
            if kind is Kind.SERVER_ERROR:
                answer = Answer.refusing(ServerError(), call.request_id)
            elif kind is Kind.REFUSED:
                answer = Answer.refusing(BalanceInsufficient(), call.request_id)
            else:
                answer = _run(tx, call)
            if call.idempotent is not None and answer.remembered:
                idempotency.remember(tx, call.idempotent, answer)
        return answer


def _read(operation: Operation, request: Request, body: str, request_id: str) -> Call:
    caller = authentication.identify(request.headers.get("authorization"))
    caller.may(publishable=operation.publishable)
    form = forms.parse(request.url.query) | forms.parse(body)
    account = _account(request)
    key = request.headers.get("idempotency-key") if operation.method == "POST" else None
    return Call(
        operation=operation,
        path_ids=dict(request.path_params),
        form=form,
        origin=Origin(
            account=account,
            request_id=request_id,
            idempotency_key=key,
            masked_key=caller.masked_key,
            publishable=caller.publishable,
            api_version=_api_version(request),
            base_url=str(request.base_url).rstrip("/"),
        ),
        request_id=request_id,
        idempotent=(
            None
            if key is None
            else idempotency.identify(caller.owner + account, key, request.url.path, form)
        ),
    )


def _account(request: Request) -> str:
    """Return the connected account that a request acts for."""
    named = request.headers.get("stripe-account", PLATFORM)
    return PLATFORM if named == ACCOUNT["id"] else named


def _api_version(request: Request) -> str:
    return request.headers.get("stripe-version", API_VERSION)


def _run(tx: Transaction, call: Call) -> Answer:
    """Execute a call; undo what it did if it is refused."""
    try:
        with tx.savepoint():
            return _handle(tx, call)
    except StripeError as error:
        return Answer.refusing(error, call.request_id)


def _handle(tx: Transaction, call: Call) -> Answer:
    if tx.account != PLATFORM:
        accounts.find(tx, tx.account)
    given = params.read(call.operation.parameters, call.form)
    expand = given.pop("expand", [])
    try:
        body = call.operation.handler(tx, given, **call.path_ids)
    except PaymentFailed as failure:
        # An answer like any other: what the attempt changed is to stay.
        return Answer.refusing(failure, call.request_id)
    return Answer.of(RENDERER.render(tx, body, expand), call.request_id)


def _respond(request: Request, answer: Answer, request_id: str) -> Response:
    headers = {
        "Request-Id": request_id,
        "Stripe-Version": _api_version(request),
    }
    account = request.headers.get("stripe-account")
    if account is not None:
        headers["Stripe-Account"] = account
    key = request.headers.get("idempotency-key")
    if key is not None and request.method == "POST":
        headers |= {"Idempotency-Key": key, "Original-Request": answer.request_id}
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    if answer.status == Unauthenticated.status:
        headers["WWW-Authenticate"] = 'Basic realm="Stripe"'
    return answer.response(headers)
