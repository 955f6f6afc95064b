"""How far around a kitchen drivers are asked, and when a bonus is added to what they earn."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Widening:
    """Circles around the kitchen (km), each tried for as long as `ring` before the next one.

    The first is tried `lead` before the food is ready, or when the search begins, if that is later.
    When all of them have been tried in vain with the food ready, a bonus is due.
    """

    radii_km: tuple[float, ...]
    ring: timedelta
    lead: timedelta

    def radius_km(self, joined_at: datetime, ready_at: datetime, at: datetime) -> float:
        """How far away a driver may be who is asked at the moment `at`."""
        ring = (at - self._wanted_since(joined_at, ready_at)) // self.ring
        return self.radii_km[min(max(ring, 0), len(self.radii_km) - 1)]

    def bonus_is_due(self, joined_at: datetime, ready_at: datetime, at: datetime) -> bool:
        """Whether those who were asked will not come for what they would earn."""
        in_vain = max(self._wanted_since(joined_at, ready_at), ready_at)
        return at >= in_vain + len(self.radii_km) * self.ring

    def _wanted_since(self, joined_at: datetime, ready_at: datetime) -> datetime:
        return max(joined_at, ready_at - self.lead)
