"""What all people of a city share for an evening."""

from dataclasses import dataclass

from local.simulate.clock import CityClock
from local.simulate.diary import Diary
from local.simulate.scenario import Scenario
from local.simulate.telephones import Abilities


@dataclass(frozen=True)
class Tonight:
    """The clock, the diary, what the facade can do, and how many orders a driver may have."""

    scenario: Scenario
    clock: CityClock
    diary: Diary
    abilities: Abilities
    capacity: int

    @property
    def seed(self) -> int:
        """What all chance follows from."""
        return self.scenario.seed
