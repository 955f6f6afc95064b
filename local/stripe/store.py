"""Where everything is kept: one SQLite file, one transaction for each request.

A commit reaches the operating system before the answer is sent, so killing this process loses
nothing that anybody was told. The store belongs to one event loop; a transaction never waits.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from local.stripe import clock

StripeObject: TypeAlias = dict[str, Any]
Json: TypeAlias = str | int | float | list[Any] | dict[str, Any] | None
SqlValue: TypeAlias = str | int | float | None

SCHEMA = Path(__file__).with_name("schema.sql")
UPGRADE = Path(__file__).with_name("upgrade.sql")

# Whom a transaction acts for unless it says otherwise: the account that the API key belongs to.
PLATFORM = ""


@dataclass(frozen=True)
class Origin:
    """Who caused a transaction: an API request, or nobody when time did."""

    # The connected account it acts for.
    account: str = PLATFORM
    request_id: str | None = None
    idempotency_key: str | None = None
    # The API key as messages show it.
    masked_key: str = ""
    publishable: bool = False
    api_version: str = ""
    base_url: str = ""


class Transaction:
    """One unit of work: all of it is kept, or none."""

    def __init__(self, connection: sqlite3.Connection, origin: Origin) -> None:
        """Work on `connection` on behalf of `origin`."""
        self._connection = connection
        self.origin = origin
        # The account whose objects are made, listed and found.
        self.account = origin.account

    def execute(self, sql: str, *values: SqlValue) -> sqlite3.Cursor:
        """Run one statement of a module that has a table of its own."""
        return self._connection.execute(sql, values)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block did if it raises; the rest of the transaction goes on."""
        self.execute("SAVEPOINT block")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK TO block")
            raise
        finally:
            self.execute("RELEASE block")

    @contextmanager
    def acting_for(self, account: str) -> Iterator[None]:
        """Act for another account while the block runs."""
        before, self.account = self.account, account
        try:
            yield
        finally:
            self.account = before

    def insert(self, body: StripeObject, **private: Json) -> None:
        """Keep a new object, and what Stripe knows about it without showing it."""
        self.execute(
            "INSERT INTO objects (id, account, object, body, private) VALUES (?, ?, ?, ?, ?)",
            body["id"],
            self.account,
            body["object"],
            json.dumps(body),
            json.dumps(private),
        )

    def get(self, object_id: str) -> StripeObject | None:
        """Return a copy of an object, whichever account it belongs to."""
        row = self.execute("SELECT body FROM objects WHERE id = ?", object_id).fetchone()
        return None if row is None else _object(row)

    def own(self, object_id: str) -> StripeObject | None:
        """Return a copy of an object if it belongs to the account that is acted for."""
        row = self.execute(
            "SELECT body FROM objects WHERE id = ? AND account = ?", object_id, self.account
        ).fetchone()
        return None if row is None else _object(row)

    def owner(self, object_id: str) -> str:
        """Return the account that an object belongs to."""
        row = self.execute("SELECT account FROM objects WHERE id = ?", object_id).fetchone()
        account: str = row[0]
        return account

    def change(self, body: StripeObject, **changes: Json) -> StripeObject:
        """Change fields of an object, here and in the store; return what those fields were."""
        previous = previous_attributes(body, body | changes)
        body.update(changes)
        self.replace(body)
        return previous

    def replace(self, body: StripeObject) -> None:
        """Keep `body` in place of what is stored under its id."""
        self.execute("UPDATE objects SET body = ? WHERE id = ?", json.dumps(body), body["id"])

    def delete(self, object_id: str) -> None:
        """Forget an object."""
        self.execute("DELETE FROM objects WHERE id = ?", object_id)

    def private(self, object_id: str) -> dict[str, Any]:
        """Return what Stripe knows about an object without showing it."""
        row = self.execute("SELECT private FROM objects WHERE id = ?", object_id).fetchone()
        return _object(row)

    def note(self, object_id: str, **private: Json) -> None:
        """Add to what Stripe knows about an object without showing it."""
        known = self.private(object_id) | private
        self.execute("UPDATE objects SET private = ? WHERE id = ?", json.dumps(known), object_id)

    def select(self, condition: str, *values: SqlValue) -> list[StripeObject]:
        """Return the account's objects that satisfy an SQL condition, an ordering included."""
        # Conditions are written in this package; what comes from a request is among `values`.
        rows = self.execute(
            f"SELECT body FROM objects WHERE account = ? AND {condition}",  # noqa: S608
            self.account,
            *values,
        )
        return [_object(row) for row in rows]


class Store:
    """The SQLite file."""

    def __init__(self, file: Path) -> None:
        """Open the file, creating it if there is none."""
        # The server may run in another thread than the one that made the application.
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Enough to outlive this process; only a power cut could take the last commits.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if _is_older(self._connection):
            self._connection.executescript(UPGRADE.read_text())
        self._connection.executescript(SCHEMA.read_text())
        (self.ahead_seconds,) = self._connection.execute(
            "SELECT COALESCE(MAX(ahead_seconds), 0) FROM clock"
        ).fetchone()
        self.on_commit: Callable[[], None] = lambda: None

    @contextmanager
    def transaction(self, origin: Origin | None = None) -> Iterator[Transaction]:
        """Commit what the block does, or undo it if the block raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            with clock.ahead(self.ahead_seconds):
                yield Transaction(self._connection, origin or Origin())
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self.on_commit()

    def now(self) -> int:
        """Return the present by this store's own clock, in seconds since 1970."""
        with clock.ahead(self.ahead_seconds):
            return clock.now()

    def advance(self, seconds: int) -> None:
        """Have more time pass than really does."""
        ahead_seconds = self.ahead_seconds + seconds
        with self.transaction() as tx:
            tx.execute(
                "INSERT OR REPLACE INTO clock (only_row, ahead_seconds) VALUES (1, ?)",
                ahead_seconds,
            )
        self.ahead_seconds = ahead_seconds

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def previous_attributes(before: StripeObject, after: StripeObject) -> StripeObject:
    """Return what the fields that differ were before; of a hash, only the entries that differ."""
    previous = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            old, new = previous_attributes(old, new), {}
        if old != new:
            previous[name] = old
    return previous


def _is_older(connection: sqlite3.Connection) -> bool:
    """Tell whether a file was made before objects belonged to accounts."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(objects)")]
    return bool(columns) and "account" not in columns


def _object(row: tuple[str]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(row[0])
    return body
