"""Idempotency-Keys: the first answer to a key is the answer to all requests that bring it."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from local.stripe import clock
from local.stripe.answers import Answer
from local.stripe.errors import IdempotencyKeyInUse, IdempotencyMismatch, InvalidParameter
from local.stripe.forms import Form
from local.stripe.store import Transaction

MAX_LENGTH = 255
# Stripe promises 24 hours; a little more keeps the promise.
KEPT_SECONDS = 2 * clock.DAY


@dataclass(frozen=True)
class IdempotentRequest:
    """A request that brings a key, and what it must agree in with the first that brought it."""

    owner: str
    key: str
    path: str
    fingerprint: str


@dataclass
class InFlight:
    """The keys whose first request is executing right now."""

    _keys: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def claim(self, request: IdempotentRequest) -> Iterator[None]:
        """Keep every other request with the key out while the block runs."""
        name = (request.owner, request.key)
        if name in self._keys:
            raise IdempotencyKeyInUse(
                "There is currently another in-progress request using this Stripe Idempotent Key "
                "(that probably means you submitted twice, and the other request is still going "
                f"through): {request.key}. Please try again later.",
                code="idempotency_key_in_use",
            )
        self._keys.add(name)
        try:
            yield
        finally:
            self._keys.discard(name)


def identify(owner: str, key: str, path: str, form: Form) -> IdempotentRequest:
    """Return what a request with a key is known by."""
    if len(key) > MAX_LENGTH:
        raise InvalidParameter(
            f"Idempotency-Key headers can be at most {MAX_LENGTH} characters, but you sent "
            f"{len(key)}."
        )
    canonical = json.dumps(form, sort_keys=True)
    return IdempotentRequest(owner, key, path, hashlib.sha256(canonical.encode()).hexdigest())


def recall(tx: Transaction, request: IdempotentRequest) -> Answer | None:
    """Return the first answer to a request, if there was one."""
    row = tx.execute(
        "SELECT path, fingerprint, status, body, request_id FROM idempotency_keys "
        "WHERE owner = ? AND key = ? AND created > ?",
        request.owner,
        request.key,
        clock.now() - KEPT_SECONDS,
    ).fetchone()
    if row is None:
        return None
    path, fingerprint, status, body, request_id = row
    if path != request.path:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{path}'). Try using a key other than '{request.key}' if you meant to "
            "execute a different request."
        )
    if fingerprint != request.fingerprint:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{request.key}' if you meant to execute "
            "a different request."
        )
    return Answer(status, body, request_id, replayed=True)


def remember(tx: Transaction, request: IdempotentRequest, answer: Answer) -> None:
    """Keep the first answer to a request."""
    tx.execute(
        "INSERT OR REPLACE INTO idempotency_keys "
        "(owner, key, path, fingerprint, request_id, status, body, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        request.owner,
        request.key,
        request.path,
        request.fingerprint,
        answer.request_id,
        answer.status,
        answer.body,
        clock.now(),
    )
