"""From what a customer or an admin asks back to a request that the engine looks after, once."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.bodies import AskedItemBody, Body
from api.dependencies import Services
from api.errors import invalid, not_found
from api.markets import in_force
from domain.refunds import RequestStatus
from schema.messages.refund import ItemAsked, RefundAsk, RefundStart, RefundTerms, RefundView
from schema.queries import idempotency, market_settings, refunds
from schema.queries.idempotency import Claim

_UNDER_WAY = frozenset({RequestStatus.ASKED, RequestStatus.GRANTED})


async def ask(held: Services, ask: RefundAsk, body: Body, key: str | None) -> RefundView:
    """Have a request made, or find what became of it: the same `key` makes one.

    Without a key, the same body is the same request, until it has failed. Raises CannotBeRefunded,
    Refused, EngineBusy, and Problem when the key was used for something else.
    """
    digest = hashlib.sha256(f"{ask.kind}:{body.model_dump_json()}".encode()).hexdigest()
    terms = await _terms(held, ask.order_id)
    async with held.database.read() as session:
        if key is None:
            key = f"{digest}:{await refunds.failures(session, ask.order_id)}"
        key = f"refund:{ask.order_id}:{key}"
        claim = await idempotency.find(session, ask.asked_by, key)
        if claim is not None:
            _must_be_the_same(claim, digest)
            known = await refunds.find(session, claim.order_id)
            if known is not None and known.status not in _UNDER_WAY:
                return known
            if known is not None:
                # Its run may have been terminated: asked for again, it is taken up again.
                return await held.engine.money.ask_for_refund(
                    RefundStart(request_id=known.id, terms=terms)
                )
        await refunds.appraise(session, ask, terms, datetime.now(UTC))
    async with held.database.write() as session:
        claim = await idempotency.claim(session, ask.asked_by, key, Claim(ask.id, digest))
    _must_be_the_same(claim, digest)
    # Whoever claimed the key first chose the id; the other request joins that one.
    ask = ask.model_copy(update={"id": claim.order_id})
    return await held.engine.money.ask_for_refund(
        RefundStart(request_id=ask.id, terms=terms, ask=ask)
    )


async def taken_up(held: Services, request: RefundView) -> RefundStart:
    """What a request's workflow is found by, or started again with."""
    return RefundStart(request_id=request.id, terms=await _terms(held, request.order_id))


def new_id() -> UUID:
    """The id of a new request."""
    return uuid7()


def items(asked: list[AskedItemBody] | None) -> tuple[ItemAsked, ...] | None:
    """The dishes that are asked back; None for the whole order."""
    return None if asked is None else tuple(ItemAsked(**item.model_dump()) for item in asked)


async def _terms(held: Services, order_id: UUID) -> RefundTerms:
    async with held.database.read() as session:
        placed = await market_settings.placed(session, order_id)
        if placed is None:
            raise not_found("order")
        market = await in_force(session, held.settings, *placed)
    return RefundTerms(
        complaint_window=market.complaint_window,
        overdue_after=timedelta(seconds=market.deadlines["refund_overdue_seconds"]),
        rules=market.refunds,
    )


def _must_be_the_same(claim: Claim, digest: str) -> None:
    if claim.request_digest != digest:
        raise invalid(
            "Idempotency-Key",
            "idempotency_key_reused",
            "this key was used for another refund: take a new one",
        )
