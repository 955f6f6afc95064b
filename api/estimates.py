"""What operators get about how good our estimates are. Minutes are the city's."""

from typing import Self
from uuid import UUID

from api import examples
from api.examples import shown
from domain.eta_quality import Distribution
from domain.prep_time import Quality
from schema.messages.base import Message


class PrepTimeOut(Message):
    """A kitchen with so many other orders in hand (`loadTo` null: or more).

    `lateMinutes` is what is added to the expected ones for the next order. Of ten observed orders
    one was less late than `lowMinutes`, one later than `highMinutes`. `errorMinutes` is the median
    of how far off the estimates before each of them would have been, `unlearnedErrorMinutes` of how
    far off what was expected was. All are null without observations.
    """

    load_from: int
    load_to: int | None
    observations: int
    late_minutes: float | None
    low_minutes: float | None
    high_minutes: float | None
    error_minutes: float | None
    unlearned_error_minutes: float | None

    @classmethod
    def of(cls, quality: Quality) -> Self:
        """How well a kitchen is known under some load, for operators."""
        return cls(
            load_from=quality.load.least,
            load_to=quality.load.most,
            observations=quality.observations,
            late_minutes=quality.late,
            low_minutes=quality.low,
            high_minutes=quality.high,
            error_minutes=quality.error,
            unlearned_error_minutes=quality.unlearned,
        )


class PrepTimesOut(Message):
    """How long a kitchen takes from acceptance beside the menu, and beside the chef's own word."""

    model_config = shown(examples.PREP_TIMES)

    chef_id: UUID
    orders_in_hand: int
    by_menu: list[PrepTimeOut]
    by_word: list[PrepTimeOut]


class EtaErrorsOut(Message):
    """By how much deliveries came later than foretold (negative: earlier): the median, and the 10th
    and 90th of a hundred. `offMinutes` is the median of how far off, early or late; `withinFive`
    the share that was off by five minutes at most.
    """

    count: int
    median_minutes: float
    low_minutes: float
    high_minutes: float
    off_minutes: float
    within_five: float

    @classmethod
    def of(cls, errors: Distribution | None) -> Self | None:
        """The errors of some estimates, for operators; None where there were none."""
        if errors is None:
            return None
        return cls(
            count=errors.count,
            median_minutes=errors.median,
            low_minutes=errors.low,
            high_minutes=errors.high,
            off_minutes=errors.off,
            within_five=errors.within_five,
        )


class EtaQualityOut(Message):
    """How good the estimates of deliveries were that were made at each of three steps."""

    model_config = shown(examples.ETA_QUALITY)

    placed: EtaErrorsOut | None
    accepted: EtaErrorsOut | None
    picked_up: EtaErrorsOut | None
