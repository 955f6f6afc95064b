"""Sessions on PostgreSQL: `read` for questions, `write` for one transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

_CONNECT_AGAIN_SECONDS = 0.5


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._url = make_url(url).set(drivername="postgresql")
        self.engine: AsyncEngine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            # Errors end up in logs, and parameters are people's data.
            hide_parameters=True,
        )
        # A question needs no BEGIN and COMMIT around it: one round trip instead of three.
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for questions; each statement sees the latest committed state."""
        async with AsyncSession(self._autocommit, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session for one transaction, committed at the end unless an exception leaves it."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session for questions whose answers belong together: all see the same state."""
        connection = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        async with AsyncSession(connection, expire_on_commit=False) as session, session.begin():
            yield session

    async def listen(self, channel: str, heard: Callable[[], object]) -> None:
        """Call `heard` whenever somebody notifies a channel, and whenever that may have been
        missed, until cancelled. On a connection of its own.
        """
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await self._listen(channel, heard)
            await asyncio.sleep(_CONNECT_AGAIN_SECONDS)

    async def _listen(self, channel: str, heard: Callable[[], object]) -> None:
        connection = await asyncpg.connect(self._url.render_as_string(hide_password=False))
        ended = asyncio.Event()

        def hear(*_: Any) -> None:
            heard()

        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(channel, hear)
            heard()
            await ended.wait()
        finally:
            connection.terminate()

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()


def is_away(error: DBAPIError) -> bool:
    """Whether an error says that the server is not there, or not now, rather than no.

    By PostgreSQL's classes of errors: 08 no connection, 53 out of resources, 57 shutting down or
    starting up.
    """
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state[:2] in {"08", "53", "57"}


def is_unstorable(error: DBAPIError) -> bool:
    """Whether a value is one that PostgreSQL cannot hold, however often it is tried.

    By its class of errors 22, data exceptions: a NUL in a text, a number out of range.
    """
    return (getattr(error.orig, "sqlstate", None) or "").startswith("22")


def asyncpg_url(url: str) -> str:
    """The same address, for SQLAlchemy's asyncpg dialect."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
