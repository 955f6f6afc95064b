"""What people say to each other about an order: sending, reading, and what is shown of it.

Whoever sends, by HTTP or by a socket, comes through `send`.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import ColumnElement, true
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api import examples_chat
from api.auth import Principal
from api.bodies import Body
from api.dependencies import Paging, Services, concerns
from api.errors import Problem, conflict, invalid, not_found
from api.examples import shown
from api.rate_limits import Rule
from api.views import Moment, Page
from domain import chat as rules
from domain.chat import LONGEST, Thread
from domain.contact_data import Masked, masked
from domain.live import Happening
from domain.notifications import Alert, Audience
from domain.permissions import Role
from schema.messages.base import Message
from schema.messages.live import LiveEvent
from schema.queries import admin, notifications, order_views, orders, outbox
from schema.queries import chat as rows
from schema.queries.chat import Party, Said, Talk
from schema.tables import OrderMessage

_NO_NUL = r"^[^\x00]*$"
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST, strip_whitespace=True, pattern=_NO_NUL)
]
ClientKey = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_NO_NUL)]


class _Words(NamedTuple):
    """What somebody wants to say, in which thread if he says so, and by which key of his."""

    thread: Thread | None
    said: Masked
    key: str | None


class MessageBody(Body):
    """Something to say. Without a `thread` it is said to whoever has the food: to the chef until
    pickup, to the driver from then on. `clientKey` is any text that is new for each message, as an
    `Idempotency-Key` is: sent again with it, the message is there once.
    """

    model_config = shown(examples_chat.SEND)

    text: Text
    thread: Thread | None = None
    client_key: ClientKey | None = None


class ReadBody(Body):
    """The last message of a thread that its reader has seen."""

    model_config = shown({"upTo": examples_chat.MESSAGE["id"]})

    up_to: UUID


class PartyOut(Message):
    """Who talks: a kitchen by its name, customers and drivers by their first."""

    role: Role
    name: str


class MessageOut(Message):
    """A message. With `wasMasked` there was contact data in it, of which `•••` is left."""

    model_config = shown(examples_chat.MESSAGE)

    id: UUID
    order_id: UUID
    thread: Thread
    sender: PartyOut = Field(alias="from")
    text: str
    was_masked: bool
    created_at: Moment
    read_at: Moment | None


class AdminMessageOut(MessageOut):
    """A message, as admins read it in a dispute."""

    model_config = shown(examples_chat.ADMIN_MESSAGE)

    sender_id: UUID
    recipient_id: UUID


class ThreadOut(Message):
    """A thread: with whom (null before an order has a driver), whether something can be said in it,
    since when and until when, as far as that is known, and how much the caller has not read.
    """

    thread: Thread
    partner: PartyOut | None = Field(alias="with")
    is_open: bool
    opens_at: Moment | None
    closes_at: Moment | None
    unread: int


class ThreadsOut(Message):
    """The caller's threads of an order."""

    model_config = shown({"threads": examples_chat.THREADS})

    threads: list[ThreadOut]


class MessagesOut(Page[MessageOut]):
    """A page of messages, the oldest first, and how the caller's threads stand."""

    model_config = shown(
        {
            "data": [examples_chat.MESSAGE],
            "page": 1,
            "limit": 20,
            "total": 1,
            "threads": examples_chat.THREADS,
        }
    )

    threads: list[ThreadOut]


async def send(
    held: Services, who: Principal, order_id: UUID, body: MessageBody, key: str | None = None
) -> MessageOut:
    """Say something about an order, once for each key. Raises Problem."""
    await _check_pace(held, who, order_id)
    async with held.database.write() as session:
        # It takes no step meanwhile: nothing is said in a thread that has just been closed.
        await rows.lock(session, order_id)
        talk = await _talk(session, order_id, who)
        said = masked(body.text, held.settings.markets[talk.market].country)
        words = _Words(body.thread, said, key or body.client_key)
        message = await _said_before(session, order_id, who, words)
        message = message or await _say(session, talk, who, words)
    return _shown(Said(message, _sender(talk, message).name))


async def listed(
    held: Services,
    who: Principal,
    order_id: UUID,
    paging: Paging,
    *,
    thread: Thread | None,
    after: UUID | None,
) -> MessagesOut:
    """What the caller has said and heard about an order, the oldest first. Raises Problem."""
    async with held.database.read() as session:
        talk = await _talk(session, order_id, who)
        own = rows.of_order(order_id) & rows.heard_by(who.user_id)
        wanted = await _wanted(session, own, thread, after)
        found, total = await rows.page(session, wanted, limit=paging.limit, offset=paging.offset)
        threads = await _threads(session, order_id, talk, who)
    return MessagesOut(
        data=[_shown(said) for said in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
        threads=threads,
    )


async def read(held: Services, who: Principal, order_id: UUID, body: ReadBody) -> ThreadsOut:
    """The caller has read a thread as far as one of its messages. Raises Problem."""
    async with held.database.write() as session:
        # Whether its reader has something unread is what a message rings by.
        await rows.lock(session, order_id)
        talk = await _talk(session, order_id, who)
        own = rows.of_order(order_id) & rows.heard_by(who.user_id)
        up_to = await _message(session, own, body.up_to, "upTo")
        await rows.mark_read(session, up_to, who.user_id, datetime.now(UTC))
        threads = await _threads(session, order_id, talk, who)
    return ThreadsOut(threads=threads)


async def read_in_dispute(
    held: Services,
    who: Principal,
    order_id: UUID,
    paging: Paging,
    *,
    thread: Thread | None,
    after: UUID | None,
) -> Page[AdminMessageOut]:
    """What was said about an order that somebody complains about, for an admin; that he has read it
    is written down, once a day. Raises Problem.
    """
    at = datetime.now(UTC)
    async with held.database.write() as session:
        if await order_views.access(session, order_id) is None:
            raise not_found("order")
        if not await rows.is_in_dispute(session, order_id):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "messages_private",
                "admins read messages of orders that somebody complains about",
            )
        wanted = await _wanted(session, rows.of_order(order_id), thread, after)
        found, total = await rows.page(session, wanted, limit=paging.limit, offset=paging.offset)
        await admin.act(
            session,
            key=f"{order_id}:messages_read:{who.user_id}:{at.date()}",
            admin_id=who.user_id,
            action="order_messages_read",
            target=("order", order_id),
            details={},
            at=at,
        )
    return Page(
        data=[
            AdminMessageOut(
                **_shown(said).model_dump(),
                sender_id=said.message.sender_id,
                recipient_id=said.message.recipient_id,
            )
            for said in found
        ],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


async def _check_pace(held: Services, who: Principal, order_id: UUID) -> None:
    limit = held.settings.rate_limit_messages
    if limit is None:
        return
    standing = await held.rate_limits.take(Rule("messages", limit, f"{who.user_id}:{order_id}"))
    if standing is not None and not standing.is_admitted:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "rate_limited",
            f"too many messages; write again in {standing.seconds} s",
            headers={"Retry-After": str(standing.seconds)},
        )


async def _talk(session: AsyncSession, order_id: UUID, who: Principal) -> Talk:
    order = await order_views.access(session, order_id)
    if order is None or not concerns(order, who):
        raise not_found("order")
    return await rows.talk(session, order_id)


async def _said_before(
    session: AsyncSession, order_id: UUID, who: Principal, words: _Words
) -> OrderMessage | None:
    """The message that a key stands for, whether or not its thread is still open."""
    if words.key is None:
        return None
    known = await rows.known(session, order_id, who.user_id, words.key)
    if known and (known.text != words.said.text or words.thread not in {None, known.thread}):
        raise invalid(
            "clientKey",
            "idempotency_key_reused",
            "this key was used for something else: take a new one",
        )
    return known


async def _say(session: AsyncSession, talk: Talk, who: Principal, words: _Words) -> OrderMessage:
    at = datetime.now(UTC)
    thread = words.thread or rules.thread_of(who.role, talk.course)
    partner = _partner(talk, thread, who, at)
    last_unread_at = await rows.last_unread_at(session, talk.order_id, thread, partner.user_id)
    message = OrderMessage(
        id=uuid7(),
        order_id=talk.order_id,
        number=await rows.next_number(session, talk.order_id),
        thread=thread,
        sender_id=who.user_id,
        sender_role=who.role,
        recipient_id=partner.user_id,
        text=words.said.text,
        masked_count=words.said.count,
        client_key=words.key,
        created_at=at,
    )
    session.add(message)
    sender = _sender(talk, message)
    await outbox.put(session, _event(message, sender))
    if rules.rings(last_unread_at, at):
        await notifications.tell(
            session,
            Alert.MESSAGE,
            await orders.parties(session, talk.order_id),
            key=f"message:{message.id}",
            words={"name": sender.name},
            only=Audience(partner.role.value),
        )
    return message


def _partner(talk: Talk, thread: Thread, who: Principal, at: datetime) -> Party:
    """To whom the caller speaks in a thread, if he may at this moment."""
    if thread not in rules.THREADS_OF[who.role]:
        raise Problem(
            HTTPStatus.FORBIDDEN, "not_your_thread", f"this thread is not for the role {who.role}"
        )
    when, partner = rules.window(thread, talk.course), talk.partner(thread, who.role)
    if when.opens_at is None or partner is None:
        begins = "payment" if thread is Thread.CHEF else "pickup"
        raise conflict("thread_not_open", f"it opens with the {begins}", thread=thread)
    if not rules.is_open(thread, talk.course, at):
        raise conflict("thread_closed", "nothing can be said in it any more", thread=thread)
    return partner


def _sender(talk: Talk, message: OrderMessage) -> Party:
    if message.sender_role is Role.CUSTOMER:
        return talk.customer
    return talk.others[message.thread]


def _event(message: OrderMessage, sender: Party) -> LiveEvent:
    """For both, since the sender may have other devices; admins read what they may read."""
    return LiveEvent(
        happening=Happening.MESSAGE,
        order_id=message.order_id,
        key=f"message:{message.id}",
        to=(str(message.sender_id), str(message.recipient_id)),
        at=message.created_at,
        data={
            "messageId": str(message.id),
            "thread": message.thread,
            "from": {"role": sender.role, "name": sender.name},
            "text": message.text,
        },
    )


async def _wanted(
    session: AsyncSession, which: ColumnElement[bool], thread: Thread | None, after: UUID | None
) -> ColumnElement[bool]:
    """Those of the messages that are asked for."""
    of_thread = true() if thread is None else rows.in_thread(thread)
    if after is None:
        return which & of_thread
    return which & of_thread & rows.after(await _message(session, which, after, "after"))


async def _message(
    session: AsyncSession, which: ColumnElement[bool], message_id: UUID, field: str
) -> OrderMessage:
    message = await rows.one(session, which, message_id)
    if message is None:
        raise invalid(field, "unknown_message", "there is no such message here")
    return message


async def _threads(
    session: AsyncSession, order_id: UUID, talk: Talk, who: Principal
) -> list[ThreadOut]:
    at, unread = datetime.now(UTC), await rows.unread(session, order_id, who.user_id)

    def out(thread: Thread) -> ThreadOut:
        partner, when = talk.partner(thread, who.role), rules.window(thread, talk.course)
        return ThreadOut(
            thread=thread,
            partner=partner and PartyOut(role=partner.role, name=partner.name),
            is_open=rules.is_open(thread, talk.course, at),
            opens_at=when.opens_at,
            closes_at=when.closes_at,
            unread=unread.get(thread, 0),
        )

    return [out(thread) for thread in rules.THREADS_OF[who.role]]


def _shown(said: Said) -> MessageOut:
    message = said.message
    return MessageOut(
        sender=PartyOut(role=message.sender_role, name=said.name),
        was_masked=message.masked_count > 0,
        **message.model_dump(include=set(MessageOut.model_fields)),
    )
