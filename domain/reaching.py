"""By which channels somebody is reached, and when: as he has chosen, and not in his quiet hours.

The app's own list is not among the channels here: what somebody is told is in it at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.languages import zone
from domain.notifications import Notice, Urgency
from domain.preferences import DEFAULTS, Channel, Choices

# A mail about what is good for seconds would be read too late.
_FAST = frozenset({Channel.PUSH, Channel.SMS})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants to hear of (`domain.preferences.chosen`), and when nothing is to ring:
    from `quiet_from` until `quiet_until` (`22:00`), by the clock of `timezone`, over midnight where
    it ends before it begins. Without all three, or from a time until the same, there is no quiet.
    """

    choices: Choices = field(default_factory=lambda: DEFAULTS)
    quiet_from: str | None = None
    quiet_until: str | None = None
    timezone: str | None = None

    def quiet(self) -> "_Quiet | None":
        """The quiet hours, if there are any."""
        here = zone(self.timezone)
        if here is None or not self.quiet_from or not self.quiet_until:
            return None
        begins, ends = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        return None if begins == ends else _Quiet(begins, ends, here)


def reach(notice: Notice, wishes: Wishes, at: datetime) -> Mapping[Channel, datetime]:
    """The channels that a message of the moment `at` goes by, and when each is due (UTC): at once,
    or when the quiet hours end. What is LIVE waits for nothing, and goes by fast channels alone.
    """
    chosen = {channel for channel, wanted in wishes.choices[notice.event].items() if wanted}
    chosen.discard(Channel.IN_APP)
    if notice.urgency is Urgency.LIVE:
        return dict.fromkeys(sorted(chosen & _FAST), at.astimezone(UTC))
    quiet = wishes.quiet()
    due = quiet.over(at) if quiet else at
    return dict.fromkeys(sorted(chosen), due.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class _Quiet:
    begins: time
    ends: time
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether nothing is to ring at a moment."""
        here = at.astimezone(self.zone).time()
        if self.begins < self.ends:
            return self.begins <= here < self.ends
        return here >= self.begins or here < self.ends

    def over(self, at: datetime) -> datetime:
        """The first moment from `at` on that is not quiet."""
        if not self.holds(at):
            return at
        return next(end for end in self._ends(at) if end > at and not self.holds(end))

    def _ends(self, at: datetime) -> list[datetime]:
        """When the quiet hours of the next days end: twice where a clock is put back over it. An
        end that a clock skips is as much later as it skips.
        """
        today = at.astimezone(self.zone).date()
        local = (
            datetime.combine(today + timedelta(days), self.ends, self.zone).replace(fold=fold)
            for days in range(3)
            for fold in (0, 1)
        )
        return sorted(end.astimezone(UTC) for end in local)
