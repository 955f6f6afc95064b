"""What happens, passed on to whoever looks on: through Redis, to any number of API processes.

An order's events have numbers that grow and are kept for a while, so that whoever was away gets
what he missed. Should Redis lose them, the numbers go on from the clock's seconds: higher than any
that an order has reached by counting, so that nobody takes new events for old ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from domain.live import Happening
from schema.messages.live import LiveEvent, Missed, Told

# An order has about ten steps, and a chat.
_KEPT_EVENTS = 300
_KEPT = timedelta(days=7)
# What a process that did not hear of anything for a minute can still catch up with.
_KEPT_FOR_ALL = 50_000
# How many are read at once.
BATCH = 1_000

_ALL = "live"
_SINCE = "live:since"

# KEYS: all, since when anything is remembered; of each event its order's number, events, said,
# position. ARGV: seconds that all is kept, events kept of an order, events kept for all, the key
# that must have been told before, the key that must not; of each event its key, what it is, event.
# Of positions the last one is kept, until the order's next step.
_TELL = """
local time = redis.call('TIME')
local at = time[1]
redis.call('SET', KEYS[2], string.format('%s.%06d', at, time[2]), 'NX')
if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[5], ARGV[4]) == 0
    and redis.call('HEXISTS', KEYS[5], ARGV[6]) == 0 then return false end
if ARGV[5] ~= '' and redis.call('HEXISTS', KEYS[5], ARGV[5]) == 1 then return {} end
local function pass_on(event, number)
  if number then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'event', event, 'sequence', number)
  else
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'event', event)
  end
end
local function tell(of, key, what, event)
  local number, events, said, position = KEYS[of], KEYS[of + 1], KEYS[of + 2], KEYS[of + 3]
  if what == 'loose' then
    if redis.call('SET', said, 1, 'NX', 'EX', ARGV[1]) then pass_on(event) end
    return 0
  end
  local known = redis.call('HGET', said, key)
  if known then return tonumber(known) end
  if redis.call('EXISTS', number) == 0 then
    local begin = what == 'first' and 0 or at
    redis.call('SET', number, begin)
    redis.call('HSET', said, '', begin)
  end
  local reached = redis.call('INCR', number)
  if what == 'passing' then
    redis.call('HSET', position, 'event', event, 'sequence', reached)
  else
    if what == 'step' then redis.call('DEL', position) end
    redis.call('HSET', said, key, reached)
    redis.call(
      'XADD', events, 'MAXLEN', ARGV[2], reached .. '-0', 'event', event, 'sequence', reached)
  end
  pass_on(event, reached)
  for key = of, of + 3 do redis.call('EXPIRE', KEYS[key], ARGV[1]) end
  return reached
end
local told = {}
for one = 0, (#KEYS - 2) / 4 - 1 do
  told[one + 1] = tell(3 + 4 * one, ARGV[6 + 3 * one], ARGV[7 + 3 * one], ARGV[8 + 3 * one])
end
return told
"""

_log = structlog.get_logger()

_Entry = tuple[str, dict[str, str]]


class Heard(NamedTuple):
    """What was told, whose sessions from before a moment have ended, and from where it goes on."""

    told: Sequence[Told]
    ended: Sequence[tuple[UUID, datetime]]
    after: str


class Said(NamedTuple):
    """Which keys of an order are known to have been told; what is older than `since` may have been
    told and forgotten.
    """

    keys: frozenset[str]
    since: datetime


class Live:
    """The events of all orders. Everything here raises RedisError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._tell = redis.register_script(_TELL)

    async def tell(self, event: LiveEvent, *, first: bool = False) -> int | None:
        """Tell an event, once by its key within its order; its number, None if it is of no order.
        A position is told as often as it is, until something else is told by its key.

        `first` says that nothing can have been told of the order before.
        """
        (number,) = await self._run([event], first, "", "") or [0]
        return number or None

    async def tell_all(
        self,
        events: Sequence[LiveEvent],
        *,
        first: bool = False,
        after: str | None = None,
        before: str | None = None,
    ) -> bool:
        """Tell events, of whatever orders, in this order: all of them at once, or none.

        `after` and `before` are keys within the order of the first one: where that is not known to
        have been told, the answer is False and nothing is told; where this was told already, they
        are overtaken, and nothing is told either.
        """
        if not events:
            return True
        return await self._run(events, first, after or "", before or "") is not None

    async def said(self, order_id: UUID) -> Said:
        """What is known to have been told of an order."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hkeys(_keys(order_id)[2])
            pipe.get(_SINCE)
            keys, since = await pipe.execute()
        now = datetime.now(UTC)
        began = now if since is None else datetime.fromtimestamp(float(since), UTC)
        return Said(frozenset(keys), max(began, now - _KEPT))

    async def end_sessions(self, user_id: UUID, good_from: datetime) -> None:
        """Have everybody hung up on who listens as a user with a token from before a moment."""
        await self._redis.xadd(
            _ALL,
            {"ended": str(user_id), "good_from": good_from.isoformat()},
            maxlen=_KEPT_FOR_ALL,
            approximate=True,
        )

    async def missed(self, order_id: UUID, after: int | None) -> Missed:
        """What was told of an order after a number; with None, only how far it is and where its
        driver was last.
        """
        number, events, keys, position = _keys(order_id)
        since = "+" if after is None else f"({after}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(number)
            pipe.hget(keys, "")
            pipe.hlen(keys)
            pipe.xlen(events)
            pipe.xrange(events, count=1)
            pipe.xrange(events, min=since)
            pipe.hgetall(position)
            at, begin, known, kept, first, entries, last = await pipe.execute()
        said = [fields for _, fields in entries]
        if last and int(last["sequence"]) > (after or 0):
            said.append(last)
        told = sorted(_legible(said), key=_number)
        oldest = int(first[0][0].partition("-")[0]) if first else 0
        # The numbers' beginning is among what is known to have been said, and no event.
        has_forgotten = known - 1 > kept
        reached = int(at or 0)
        return Missed(
            told=told,
            sequence=reached,
            resync=after is not None
            and (after > reached or after < int(begin or 0) or (has_forgotten and after < oldest)),
        )

    async def now(self) -> str:
        """From where on a process hears of everything."""
        newest = await self._redis.xrevrange(_ALL, count=1)
        return str(newest[0][0]) if newest else "0-0"

    async def hear(self, after: str, wait: timedelta) -> Heard:
        """What was told since, of all orders; waits for something for so long."""
        # The SDK's types cover every form of the reply; this is the one of texts, by lists.
        read = cast(
            "list[tuple[str, list[_Entry]]]",
            await self._redis.xread(
                {_ALL: after}, count=BATCH, block=int(wait.total_seconds() * 1000)
            ),
        )
        entries = read[0][1] if read else []
        return Heard(
            told=_legible(fields for _, fields in entries if "event" in fields),
            ended=[
                (UUID(fields["ended"]), datetime.fromisoformat(fields["good_from"]))
                for _, fields in entries
                if "ended" in fields
            ],
            after=entries[-1][0] if entries else after,
        )

    async def has_forgotten(self, after: str) -> bool:
        """Whether something may have been told since that cannot be heard any more: so it is where
        what was heard last is gone, be it by its age, or with a Redis that is not as it was.
        """
        return not await self._redis.xrange(_ALL, min=after, max=after)

    async def _run(
        self, events: Sequence[LiveEvent], first: bool, after: str, before: str
    ) -> list[int] | None:
        """The events' numbers, 0 for those of no order; none where they are overtaken, None where
        what goes before them is not known.
        """
        keys, args = [_ALL, _SINCE], [int(_KEPT.total_seconds()), _KEPT_EVENTS, _KEPT_FOR_ALL]
        said: list[str | int] = [*args, after, before]
        for event in events:
            keys += _keys(event.order_id) if event.order_id else (f"live:said:{event.key}",) * 4
            said += [event.key, _kind(event, first), event.model_dump_json(by_alias=True)]
        told: list[int] | None = await self._tell(keys=keys, args=said)
        return told


def _keys(order_id: UUID) -> tuple[str, str, str, str]:
    of = f"order:{order_id}"
    return f"{of}:sequence", f"{of}:told", f"{of}:said", f"{of}:position"


def _kind(event: LiveEvent, first: bool) -> str:
    if event.order_id is None:
        return "loose"
    if event.happening is Happening.POSITION:
        return "passing"
    if first:
        return "first"
    return "step" if event.happening is Happening.STATUS else "next"


def _legible(said: Iterable[Mapping[str, str]]) -> list[Told]:
    """What can be read of it: a newer version may tell what this one does not know."""
    found = []
    for fields in said:
        number = fields.get("sequence")
        try:
            event = LiveEvent.model_validate_json(fields["event"])
        except ValidationError as error:
            _log.warning("an event that cannot be read", error=str(error))
            continue
        found.append(Told(event=event, sequence=None if number is None else int(number)))
    return found


def _number(told: Told) -> int:
    return told.sequence or 0
