"""Events about accounts of payees (those with an `account`), and whose business they are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from api.dependencies import Services
from schema.messages.payees import AccountUpdated, PayeeRef
from schema.queries import payees

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
    await held.engine.tell_of_account(payee, AccountUpdated(account_id=about.id))
    return "told: account_updated"


HANDLERS: Mapping[str, Handler] = {
    "account.updated": _account_updated,
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
