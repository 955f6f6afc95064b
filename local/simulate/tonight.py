"""What all people of a city share for an evening."""

from dataclasses import dataclass

from local.simulate.clock import CityClock
from local.simulate.diary import Diary
from local.simulate.scenario import Scenario


@dataclass(frozen=True)
class Tonight:
    """The clock, the diary, and how many orders any driver may have at most."""

    scenario: Scenario
    clock: CityClock
    diary: Diary
    capacity: int

    @property
    def seed(self) -> int:
        """What all chance follows from."""
        return self.scenario.seed
