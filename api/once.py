"""What is made once, however often it is asked for: by the Idempotency-Key of who asks."""

from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Header
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.bodies import Body
from api.errors import invalid
from api.placing import digest_of
from schema.queries import idempotency
from schema.queries.idempotency import Claim

OnceKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Any text that is new for each thing that is wanted: the same request sent"
        " again with the same key takes effect once.",
        examples=["dish-7d1f3c1e"],
    ),
]


class Made(NamedTuple):
    """The id of what a request makes, or has made before."""

    id: UUID
    is_new: bool


async def claimed(
    session: AsyncSession, user_id: UUID, key: str | None, what: str, body: Body
) -> Made:
    """The id that a key stands for, in the transaction that makes it: whoever uses the key at the
    same time waits for that. Without a key everything is new.

    Raises Problem when the key was used for something else.
    """
    made = Made(uuid7(), is_new=True)
    if key is None:
        return made
    digest = digest_of(body)
    claim = await idempotency.claim(session, user_id, f"{what}:{key}", Claim(made.id, digest))
    if claim.request_digest != digest:
        raise invalid(
            "Idempotency-Key",
            "idempotency_key_reused",
            "this key was used for something else: take a new one",
        )
    return Made(claim.order_id, is_new=claim.order_id == made.id)
