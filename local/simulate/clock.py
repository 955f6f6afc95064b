"""The city's clock, which runs `speed` times as fast as ours, and how far people lag behind it."""

import asyncio
import time
from array import array
from datetime import UTC, datetime, timedelta


class CityClock:
    """Seconds of the city since the evening began; below nothing is before it."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._began = time.monotonic()
        self.began_at = datetime.now(UTC)
        # By how many seconds of ours people woke up late.
        self.lateness = array("d")

    def begin(self) -> None:
        """The evening begins now."""
        self._began = time.monotonic()
        self.began_at = datetime.now(UTC)
        self.lateness = array("d")

    @property
    def now(self) -> float:
        """Seconds of the city since the evening began."""
        return (time.monotonic() - self._began) * self.speed

    def at(self, moment: datetime) -> float:
        """When a moment of ours was, by the city's clock."""
        return (moment - self.began_at).total_seconds() * self.speed

    def moment(self, at: float) -> datetime:
        """The moment of ours (UTC) at which the city's clock shows `at`."""
        return self.began_at + timedelta(seconds=at / self.speed)

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds of the city pass."""
        await self.until(self.now + seconds)

    async def until(self, at: float) -> None:
        """Wait until the city's clock shows `at`; what is past is not waited for."""
        due = self._began + at / self.speed
        if due > time.monotonic():
            await asyncio.sleep(due - time.monotonic())
            self.lateness.append(max(0.0, time.monotonic() - due))


def hands(seconds: float) -> str:
    """What the city's clock shows after so many seconds: hours and minutes."""
    minutes = int(seconds // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
