"""Events about accounts of payees (those with an `account`), and whose business they are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from api.dependencies import Services
from domain.payouts import PayoutStatus
from schema.messages.payees import AccountUpdated, PayeeRef
from schema.messages.payouts import PayoutChanged, PayoutStart
from schema.queries import payees, payouts
from workflows.schedules import market_payouts

Event = Mapping[str, Any]
# Passes an event on, and says what became of it.
Handler = Callable[[Services, Event], Awaitable[str]]


class _Account(BaseModel):
    """An account, as Stripe writes it: the part of it that we read."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: str
    metadata: dict[str, str] | None = None


async def _account_updated(held: Services, event: Event) -> str:
    about = _Account.model_validate(event["data"].get("object"))
    payee = await _owner(held, event["account"], about)
    if payee is None:
        return "unmatched: no such account"
    await held.engine.payees.tell_of_account(payee, AccountUpdated(account_id=about.id))
    return "told: account_updated"


class _Payout(BaseModel):
    """What was sent to a bank, as Stripe writes it: the part of it that we read."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: str
    metadata: dict[str, str] | None = None


async def _payout_changed(held: Services, event: Event) -> str:
    about = _Payout.model_validate(event["data"].get("object"))
    try:
        ours = UUID((about.metadata or {}).get("payout", ""))
    except ValueError:
        ours = None
    async with held.database.read() as session:
        payout = await payouts.of_stripe(session, about.id, ours)
    if payout is None:
        return "unmatched: no such payout"
    if payout.status is PayoutStatus.FAILED:
        return "known: the payout has come back"
    if payout.status is PayoutStatus.PAID and event["type"] == "payout.paid":
        return "known: the payout is paid"
    start = PayoutStart(
        terms=market_payouts(held.settings, payout.market).run(payout.day).terms,
        kind=payout.user_type,
        payee_id=payout.payee_id,
    )
    await held.engine.payees.tell_of_payout(start, PayoutChanged(payout_id=about.id))
    return "told: payout_changed"


HANDLERS: Mapping[str, Handler] = {
    "account.updated": _account_updated,
    "payout.paid": _payout_changed,
    "payout.failed": _payout_changed,
    "payout.canceled": _payout_changed,
}


async def pass_on(held: Services, event: Event) -> str:
    """Tell the workflow that an event concerns; answers with what became of it, for the record.

    Raises EngineBusy when it could not be told, and ValidationError when it does not look like an
    event of its type: Stripe will send it again.
    """
    handler = HANDLERS.get(event["type"])
    if handler is None:
        return "ignored: nobody has to know"
    return await handler(held, event)


async def _owner(held: Services, account_id: str, about: _Account) -> PayeeRef | None:
    async with held.database.read() as session:
        owner = await payees.owner_of(session, account_id)
        if owner is not None:
            return owner
        said = about.metadata or {}
        # Changed faster than we wrote down whose account it is: the account itself says so.
        try:
            named = PayeeRef.model_validate(
                {"kind": said.get("payee_kind"), "payee_id": said.get("payee_id")}
            )
        except ValidationError:
            return None
        return named if await payees.payee(session, named) else None
