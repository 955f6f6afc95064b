"""Who is paid by the platform."""

from enum import StrEnum


class PayeeKind(StrEnum):
    """The two kinds of people who earn by an order."""

    CHEF = "chef"
    DRIVER = "driver"
