"""Where files are kept: a folder (`file:///…`), or a bucket of S3 or of what speaks like it.

The address and the credentials of a bucket are obstore's own environment: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT and the like.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import cached_property

from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url


class StorageAway(Exception):
    """The storage does not answer, or does not have what it was given."""


class NotKept(StorageAway):
    """There is no such file."""


class Storage:
    """Files by their keys. `url` may end with a folder that all of them are in."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._url = url
        self._patience = timeout_seconds

    async def put(self, key: str, content: bytes) -> None:
        """Keep a file, whole or not at all; the same again changes nothing. Raises StorageAway."""
        async with self._answers():
            await self._store.put_async(key, content)

    async def get(self, key: str) -> bytes:
        """A file that was kept. Raises StorageAway, NotKept among them."""
        async with self._answers():
            try:
                found = await self._store.get_async(key)
            except FileNotFoundError as missing:
                raise NotKept(key) from missing
            return bytes(await found.bytes_async())

    async def forget(self, keys: Sequence[str]) -> None:
        """Have files no more; those that are gone already are no matter. Raises StorageAway."""
        async with self._answers():
            for key in keys:
                with suppress(FileNotFoundError):
                    await self._store.delete_async(key)

    async def forget_folder(self, folder: str) -> None:
        """Have all files of a folder no more. Raises StorageAway."""
        async with self._answers():
            async for found in self._store.list(f"{folder}/"):
                await self._store.delete_async([file["path"] for file in found])

    @cached_property
    def _store(self) -> ObjectStore:
        # Made when it is first needed: a folder that is not there yet stops no order.
        if self._url.startswith("file:"):
            return from_url(self._url, mkdir=True)
        return from_url(
            self._url,
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=self._patience),
            },
            client_options={
                "timeout": timedelta(seconds=self._patience),
                # Where AWS_ENDPOINT says so.
                "allow_http": True,
            },
        )

    @asynccontextmanager
    async def _answers(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        # The folder's errors are OSError, a bucket's obstore's own.
        except (BaseError, OSError, TimeoutError) as error:
            raise StorageAway(str(error).partition("\n")[0]) from error
