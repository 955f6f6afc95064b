"""How often something may be tried that must not be guessed (a password, a code, a link)."""

from datetime import timedelta
from typing import NamedTuple


class Patience(NamedTuple):
    """How many tries are free to an account and to a client's address, how long the first wait is
    (each further try makes the next twice as long), how long the longest, and after how long
    without a try all is forgotten.
    """

    free: int
    free_to_client: int
    first_wait: timedelta
    longest_wait: timedelta
    memory: timedelta
