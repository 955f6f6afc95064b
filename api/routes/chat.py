"""What customers say to their chef and driver, and they to them."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import chat
from api.chat import (
    AdminMessageOut,
    MessageBody,
    MessageOut,
    MessagesOut,
    ReadBody,
    ThreadsOut,
)
from api.dependencies import PagingDep, ServicesDep
from api.errors import problems
from api.once import OnceKey
from api.permits import ActsAsReader, ActsOnMessages, MayReadMessages
from api.views import Page
from domain.chat import Thread

router = APIRouter(tags=["Chat"])

Threads = Annotated[Thread | None, Query(description="One of the threads; without it, all.")]
After = Annotated[UUID | None, Query(description="Only what was said after this message.")]

_READS = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_CHANGES = _READS | problems(HTTPStatus.CONFLICT)


@router.get("/orders/{order_id}/messages", responses=_READS)
async def list_messages(
    held: ServicesDep,
    who: MayReadMessages,
    order_id: UUID,
    *,
    paging: PagingDep,
    thread: Threads = None,
    after: After = None,
) -> MessagesOut:
    """Read what one has said and heard about an order, the oldest first, and how its threads stand:
    the customer's with the chef is open from payment to pickup, the one with the driver from pickup
    to an hour after delivery.
    """
    return await chat.listed(held, who, order_id, paging, thread=thread, after=after)


@router.post("/orders/{order_id}/messages", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def send_message(
    held: ServicesDep,
    who: ActsOnMessages,
    order_id: UUID,
    body: MessageBody,
    idempotency_key: OnceKey = None,
) -> MessageOut:
    """Say something about an order, as long as the thread is open (409 `thread_not_open`,
    `thread_closed`). Telephone numbers, addresses and names at messengers are masked, for good.
    """
    return await chat.send(held, who, order_id, body, idempotency_key)


@router.post("/orders/{order_id}/messages/read", responses=_READS)
async def read_messages(
    held: ServicesDep, who: ActsOnMessages, order_id: UUID, body: ReadBody
) -> ThreadsOut:
    """Say that one has read a thread as far as one of its messages."""
    return await chat.read(held, who, order_id, body)


@router.get("/admin/orders/{order_id}/messages", responses=_READS)
async def read_messages_in_dispute(
    held: ServicesDep,
    who: ActsAsReader,
    order_id: UUID,
    *,
    paging: PagingDep,
    thread: Threads = None,
    after: After = None,
) -> Page[AdminMessageOut]:
    """Read what was said about an order that its customer complains about, or his bank disputes, or
    ever has; of others it is a 403 `messages_private`. Who reads is in the log of what admins did.
    """
    return await chat.read_in_dispute(held, who, order_id, paging, thread=thread, after=after)
