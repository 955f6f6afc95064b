"""Looking for garbage less often than Python does by itself.

Ten thousand connections are millions of objects that stay. Python looks through all of them again
whenever there are a quarter more of them, and meanwhile nobody is told anything: for more than a
second at a time. Nearly everything goes by its reference count; what does not can wait.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects until the newest are looked through (some milliseconds), how many times that until
# those are which survived it, and how many times that until all are.
_THRESHOLDS = (10_000, 10, 1_000)


@contextmanager
def looked_for_seldom() -> Iterator[None]:
    """So it is in this process until left."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
