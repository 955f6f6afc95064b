"""Starting many workflows at once, of which some may not start."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any
from uuid import UUID


async def started(
    starts: Mapping[UUID, Coroutine[Any, Any, None]],
) -> tuple[list[UUID], list[BaseException]]:
    """Those that have started, and what was wrong with the others: one that cannot start now does
    not have the rest started again with it.
    """
    ends = await asyncio.gather(*starts.values(), return_exceptions=True)
    troubles = {key: end for key, end in zip(starts, ends, strict=True) if end is not None}
    return [key for key in starts if key not in troubles], list(troubles.values())
