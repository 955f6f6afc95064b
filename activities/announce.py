"""Telling whoever is listening that an order has moved.

A step is announced right after its commit, while its local activity still runs. Where Redis does
not answer, the step stands all the same, and the workflow has `announce` do it again, durably.
"""

from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from temporalio import activity

from schema.messages.order import Changes, Transition

# Enough to give a client that was away for a while what it missed; an order has about ten steps.
_KEPT_EVENTS = 100
_KEPT_SECONDS = 7 * 24 * 3600

_log = structlog.get_logger()


class Announcer:
    """Publishes the steps of orders, each to its order's stream `order:{id}:events`."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def try_announce(self, step: Transition) -> bool:
        """Announce a step; False when that was not possible now."""
        try:
            await self._publish(step)
        except RedisError as error:
            _log.warning("step not announced", order_id=str(step.order_id), error=str(error))
            return False
        return True

    @activity.defn
    async def announce(self, step: Transition) -> None:
        """Announce a step that could not be announced before. Raises RedisError until it can."""
        await self._publish(step)

    async def _publish(self, step: Transition) -> None:
        stream = f"order:{step.order_id}:events"
        event: dict[Any, Any] = {
            "event": "order:status_update",
            "orderId": str(step.order_id),
            "sequence": step.sequence,
            "status": step.to,
            "at": step.at.isoformat(),
            **_estimates(step.changes),
        }
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.xadd(
                stream,
                event,
                maxlen=_KEPT_EVENTS,
                approximate=True,
            )
            pipe.expire(stream, _KEPT_SECONDS)
            await pipe.execute()


def _estimates(changes: Changes) -> dict[str, str]:
    """The moments that a step makes others than they were."""
    told = {
        "estimatedReadyAt": changes.estimated_ready_at,
        "estimatedPickupAt": changes.estimated_pickup_at,
        "estimatedDeliveryAt": changes.estimated_delivery_at,
    }
    return {name: moment.isoformat() for name, moment in told.items() if moment is not None}
