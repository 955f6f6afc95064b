"""Hearing of everything that happens, once for a whole process.

Redis may go away and come back: then it goes on from where it was. What is not known any more by
then, listeners are told to look up themselves.
"""

import asyncio
from datetime import timedelta

import structlog
from redis.exceptions import RedisError

from api.live.hub import Hub
from providers.live import BATCH, Live
from providers.shut_outs import ShutOuts
from schema.messages.live import Told

# How long Redis holds a request for something new.
WAIT = timedelta(seconds=2)
_AGAIN_SECONDS = 0.25

_log = structlog.get_logger()


class Feed:
    """Passes on to a hub whatever is told. `live` is a connection whose patience exceeds WAIT."""

    def __init__(self, live: Live, hub: Hub, shut_outs: ShutOuts) -> None:
        self._live = live
        self._hub = hub
        self._shut_outs = shut_outs
        self._after: str | None = None
        self._may_have_missed = False
        self._is_deaf = False

    async def run(self) -> None:
        """Listen, until cancelled."""
        while True:
            try:
                await self._next()
            except RedisError as error:
                # Once, however long it lasts.
                if not self._is_deaf:
                    _log.warning("nothing is heard of what happens", error=str(error))
                self._is_deaf = True
            except Exception:  # noqa: BLE001 - whatever it is, one goes on listening
                _log.exception("something of what happens was not passed on")
            else:
                if self._is_deaf:
                    _log.info("what happens is heard again")
                self._is_deaf = False
                continue
            self._may_have_missed = True
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _next(self) -> None:
        if self._after is None:
            self._after = await self._live.now()
            # Whoever listened before anything was heard.
            await self._look_again()
        elif self._may_have_missed and await self._live.has_forgotten(self._after):
            _log.warning("some of what happened was missed")
            self._after = await self._live.now()
            await self._look_again()
        self._may_have_missed = False
        heard = await self._live.hear(self._after, WAIT)
        # What cannot be passed on is not tried again for ever.
        self._after = heard.after
        # Whoever reads as much as there is at once may be too slow.
        self._may_have_missed = len(heard.told) + len(heard.ended) >= BATCH
        for ended in heard.ended:
            self._hub.end_sessions(*ended)
        passed_on = [self._passed_on(told) for told in heard.told]
        if not all(passed_on):
            self._hub.resync()

    def _passed_on(self, told: Told) -> bool:
        try:
            self._hub.tell(told)
        except Exception:  # noqa: BLE001 - one event must not keep all others from everybody
            _log.exception("an event was not passed on", event=told.event.key)
            return False
        return True

    async def _look_again(self) -> None:
        """Have everybody look again, but for those whose sessions have ended unheard."""
        self._hub.resync()
        for user_id in self._hub.users:
            good_from = await self._shut_outs.good_from(user_id)
            if good_from is not None:
                self._hub.end_sessions(user_id, good_from)
