"""Work that is done beside other work, until that is over."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_AGAIN_SECONDS = 0.5


@asynccontextmanager
async def along(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have work done all the while. What it has ended with by itself is raised at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        # A library may take the first word for a timeout of its own, and go on.
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_AGAIN_SECONDS)
        if not task.cancelled():
            task.result()
