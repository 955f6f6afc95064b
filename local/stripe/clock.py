"""Time as Stripe counts it."""

import time

DAY = 86_400


def now() -> int:
    """Return the present in whole seconds since 1970, as every Stripe object holds it."""
    return int(time.time())


def precise() -> float:
    """Return the present in seconds since 1970."""
    return time.time()
