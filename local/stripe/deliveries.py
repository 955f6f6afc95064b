"""Deliveries owed: which event goes to which endpoint, when, and how each attempt went.

A delivery is `owed` until an endpoint answers 2xx (`delivered`), three days of attempts have
passed (`abandoned`) or the endpoint is gone (`dropped`).
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from local.stripe import clock, webhook_endpoints
from local.stripe.store import StripeObject, Transaction

KEEP_TRYING_SECONDS = 3 * clock.DAY
LONGEST_PAUSE_SECONDS = 60.0

SUCCESS = range(200, 300)

# What the log shows of a delivery and of each attempt; times are in seconds since 1970.
LOGGED = ("id", "event", "type", "endpoint", "copy", "status", "created", "next_attempt_at")
LOGGED_ATTEMPT = ("number", "at", "status_code", "error", "duration_ms")

# Reordering shuffles deliveries within blocks of this many, and holds them back to the end of a
# window of this many seconds, so that there is something to shuffle.
REORDER_BLOCK = 8
REORDER_WINDOW_SECONDS = 0.25


@dataclass(frozen=True)
class Behaviour:
    """How webhooks misbehave on purpose."""

    # How often each event is delivered in all.
    duplicates: int = 1
    delay_seconds: float = 0.0
    reorder: bool = False
    seed: int = 0
    paused: bool = False
    # The last delivery that existed when this behaviour began: shuffling counts from there.
    begins_after: int = 0


@dataclass(frozen=True)
class Delivery:
    """One event to be sent to one endpoint."""

    id: int
    event: str
    endpoint: str
    created: float
    attempts: int


@dataclass(frozen=True)
class Attempt:
    """How one attempt went: a status code, or the reason why there is none."""

    at: float
    duration_ms: float
    status_code: int | None = None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        """Tell whether the endpoint took the event."""
        return self.status_code is not None and self.status_code in SUCCESS


def behaviour(tx: Transaction) -> Behaviour:
    """Return the present behaviour."""
    row = tx.execute("SELECT behaviour FROM delivery_behaviour").fetchone()
    return Behaviour() if row is None else Behaviour(**json.loads(row[0]))


def behave(tx: Transaction, wanted: Behaviour) -> None:
    """Behave in a new way from the next event on."""
    (last,) = tx.execute("SELECT COALESCE(MAX(id), 0) FROM deliveries").fetchone()
    tx.execute(
        "INSERT OR REPLACE INTO delivery_behaviour (only_row, behaviour) VALUES (1, ?)",
        json.dumps(asdict(replace(wanted, begins_after=last))),
    )


def owe(tx: Transaction, event: StripeObject) -> int:
    """Owe an event to every endpoint that listens; return how many deliveries that makes."""
    now = clock.precise()
    how = behaviour(tx)
    due_at = now + how.delay_seconds
    if how.reorder and not how.paused:
        due_at += REORDER_WINDOW_SECONDS - due_at % REORDER_WINDOW_SECONDS
    owed = 0
    for endpoint in webhook_endpoints.listening(tx, event["type"], connect="account" in event):
        for copy in range(1, how.duplicates + 1):
            (delivery_id,) = tx.execute(
                "INSERT INTO deliveries (event, type, endpoint, copy, created, due_at) "
                "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
                event["id"],
                event["type"],
                endpoint["id"],
                copy,
                now,
                due_at,
            ).fetchone()
            if how.reorder:
                rank = _shuffled(delivery_id, how)
                tx.execute("UPDATE deliveries SET rank = ? WHERE id = ?", rank, delivery_id)
            owed += 1
    return owed


def pending(tx: Transaction, event_id: str) -> int:
    """Return how many endpoints have not yet taken an event."""
    (count,) = tx.execute(
        "SELECT COUNT(DISTINCT endpoint) FROM deliveries WHERE event = ? AND state = 'owed'",
        event_id,
    ).fetchone()
    return int(count)


def endpoints_due(tx: Transaction, under_way: Collection[int], busy: Collection[str]) -> list[str]:
    """Return the endpoints, other than the busy ones, to which something is due."""
    rows = tx.execute(
        "SELECT DISTINCT endpoint FROM deliveries WHERE state = 'owed' AND due_at <= ? "
        "AND id NOT IN (SELECT value FROM json_each(?)) "
        "AND endpoint NOT IN (SELECT value FROM json_each(?))",
        clock.precise(),
        json.dumps(list(under_way)),
        json.dumps(list(busy)),
    )
    return [endpoint for (endpoint,) in rows]


def seconds_until_due(
    tx: Transaction, under_way: Collection[int], busy: Collection[str]
) -> float | None:
    """Return how long nothing will be due to any endpoint but the busy ones."""
    (due_at,) = tx.execute(
        "SELECT MIN(due_at) FROM deliveries WHERE state = 'owed' "
        "AND id NOT IN (SELECT value FROM json_each(?)) "
        "AND endpoint NOT IN (SELECT value FROM json_each(?))",
        json.dumps(list(under_way)),
        json.dumps(list(busy)),
    ).fetchone()
    return None if due_at is None else max(0.0, due_at - clock.precise())


def next_due(tx: Transaction, endpoint_id: str, under_way: Collection[int]) -> Delivery | None:
    """Return the delivery that goes to an endpoint next."""
    row = tx.execute(
        "SELECT id, event, endpoint, created, attempts FROM deliveries "
        "WHERE state = 'owed' AND endpoint = ? AND due_at <= ? "
        "AND id NOT IN (SELECT value FROM json_each(?)) "
        "ORDER BY COALESCE(rank, id), id LIMIT 1",
        endpoint_id,
        clock.precise(),
        json.dumps(list(under_way)),
    ).fetchone()
    return None if row is None else Delivery(*row)


def record(tx: Transaction, delivery: Delivery, attempt: Attempt, retry_seconds: float) -> None:
    """Log an attempt and settle what comes next: nothing, or another one after a longer pause."""
    number = delivery.attempts + 1
    tx.execute(
        "INSERT INTO delivery_attempts (delivery, number, at, status_code, error, duration_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        delivery.id,
        number,
        attempt.at,
        attempt.status_code,
        attempt.error,
        attempt.duration_ms,
    )
    now = clock.precise()
    if attempt.succeeded:
        state = "delivered"
    elif now - delivery.created >= KEEP_TRYING_SECONDS:
        state = "abandoned"
    else:
        state = "owed"
    tx.execute(
        "UPDATE deliveries SET attempts = ?, state = ?, due_at = ? WHERE id = ?",
        number,
        state,
        now + pause_seconds(number, retry_seconds),
        delivery.id,
    )


def pause_seconds(attempts: int, retry_seconds: float) -> float:
    """Return how long to wait after so many failed attempts: twice as long each time."""
    # The exponent is bounded: there may be thousands of attempts, and 2**1024 is no float any more.
    return min(retry_seconds * 2.0 ** min(attempts - 1, 32), LONGEST_PAUSE_SECONDS)


def drop(tx: Transaction, delivery: Delivery) -> None:
    """Give up a delivery whose endpoint is gone."""
    tx.execute("UPDATE deliveries SET state = 'dropped' WHERE id = ?", delivery.id)


def log(
    tx: Transaction, event: str | None, event_type: str | None, state: str | None
) -> list[dict[str, Any]]:
    """Return deliveries and their attempts, oldest first."""
    found = tx.execute(
        "SELECT id, event, type, endpoint, copy, state, created, "
        "CASE state WHEN 'owed' THEN due_at END FROM deliveries "
        "WHERE event = COALESCE(?, event) AND type = COALESCE(?, type) "
        "AND state = COALESCE(?, state) ORDER BY id",
        event,
        event_type,
        state,
    ).fetchall()
    return [
        dict(zip(LOGGED, row, strict=True)) | {"attempts": _attempts(tx, row[0])} for row in found
    ]


def _attempts(tx: Transaction, delivery_id: int) -> list[dict[str, Any]]:
    rows = tx.execute(
        "SELECT number, at, status_code, error, duration_ms FROM delivery_attempts "
        "WHERE delivery = ? ORDER BY number",
        delivery_id,
    )
    return [dict(zip(LOGGED_ATTEMPT, row, strict=True)) for row in rows]


def _shuffled(delivery_id: int, how: Behaviour) -> int:
    """Return the place of a delivery, shuffled within its block the same way for every seed."""
    block, place = divmod(delivery_id - how.begins_after - 1, REORDER_BLOCK)
    places = Random(f"{how.seed}:{block}").sample(range(REORDER_BLOCK), REORDER_BLOCK)  # noqa: S311
    return how.begins_after + 1 + block * REORDER_BLOCK + places[place]
