"""What is to be simulated: how large a city, how fast, how long, what goes wrong in it."""

import random
from dataclasses import dataclass

MINUTE = 60.0
HOUR = 3600.0

# What may be killed in the middle of it.
MORTAL = ("worker", "valkey", "api")


@dataclass(frozen=True, slots=True)
class Kill:
    """A server that is killed (kill -9) at a simulated minute, and started again at once."""

    name: str
    minute: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A city and an evening in it. All that happens by chance follows from `seed`.

    `orders_per_hour` is the mean over the whole evening, `speed` how many of the city's minutes
    pass in one of ours.
    """

    orders_per_hour: float = 300.0
    drivers: int = 60
    hours: float = 2.0
    speed: float = 20.0
    seed: int = 7
    policy: str = "matching"
    kitchens: int = 20
    kills: tuple[Kill, ...] = ()

    @property
    def lasts(self) -> float:
        """For how many seconds orders come in."""
        return self.hours * HOUR


def chance(seed: int, *about: object) -> random.Random:
    """A source of chance for one matter, the same for the same seed in every run.

    What one person does never depends on what another did before, nor on when: with one source for
    all, a request that took a little longer would change the whole evening.
    """
    return random.Random(":".join(map(str, (seed, *about))))  # noqa: S311 - play, not secrets


def kills(words: str) -> tuple[Kill, ...]:
    """From `worker@30,valkey@45.5`, the first first. Raises ValueError when it is not like that."""
    asked = []
    for word in words.split(","):
        name, at, minute = word.strip().partition("@")
        if not at or name not in MORTAL or float(minute) < 0:
            raise ValueError(f"not one of {', '.join(MORTAL)} @ a minute: {word}")
        asked.append(Kill(name, float(minute)))
    return tuple(sorted(asked, key=lambda kill: kill.minute))
