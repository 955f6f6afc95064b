"""What a push says, whoever brings it to the device."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Push:
    """A push. A second one with the same `key` takes the place of the first on the device. It is of
    no use `good_for` longer, and wakes the phone if it is `urgent`; `data` is for the app.
    """

    key: str
    title: str
    line: str
    urgent: bool
    good_for: timedelta
    data: dict[str, str]
