"""What clients read of an event, by each of the ways to listen.

An event goes to many clients: each form of it is made once.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from engineio.packet import MESSAGE  # type: ignore[import-untyped]
from engineio.packet import Packet as EnginePacket
from socketio.packet import EVENT, Packet  # type: ignore[import-untyped]

from domain.live import Happening
from schema.messages.live import Told

NAMESPACE = "/realtime"

# What seed 004, section 8.2, calls the events that it has; the others are called as they are.
_TYPES = {
    Happening.STATUS: "ORDER_STATUS_UPDATE",
    Happening.NEW_ORDER: "NEW_ORDER",
    Happening.POSITION: "DELIVERY_LOCATION",
    Happening.MESSAGE: "CHAT_MESSAGE",
}


class Spoken:
    """An event as it goes out. What a client learns of the connection itself has no event."""

    def __init__(self, name: str, payload: Mapping[str, Any], told: Told | None = None) -> None:
        self.name = name
        self.payload = payload
        self.told = told

    @classmethod
    def of(cls, told: Told) -> "Spoken":
        """An event that was told."""
        return cls(told.event.happening.value, told.payload, told)

    @cached_property
    def packet(self) -> EnginePacket:
        """By Socket.IO."""
        said = Packet(EVENT, data=[self.name, self.payload], namespace=NAMESPACE)
        return EnginePacket(MESSAGE, said.encode())

    @cached_property
    def frame(self) -> str:
        """By a plain WebSocket, in the form of seed 004, section 8.2: its fields beside ours."""
        payload = dict(self.payload)
        if self.told is not None:
            happening = self.told.event.happening
            if happening in _SEEDS:
                payload |= _SEEDS[happening](payload)
        return framed(type_of(self.name), payload=payload)

    @cached_property
    def text(self) -> str:
        """By Server-Sent Events."""
        return _json(self.payload)


def type_of(name: str) -> str:
    """What plain clients call an event or a command: `subscribe:order` is SUBSCRIBE_ORDER."""
    known = {happening.value: type_ for happening, type_ in _TYPES.items()}
    return known.get(name) or name.replace(":", "_").upper()


def framed(type_: str, **said: Any) -> str:
    """A message to a plain client."""
    return _json({"type": type_, **said})


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, separators=(",", ":"))


def _status(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected next that somebody waits for: the food at his door, at best."""
    moments = ("estimatedDeliveryAt", "estimatedPickupAt", "estimatedReadyAt")
    expected = (payload[name] for name in moments if payload.get(name))
    return {"timestamp": payload["at"], "estimatedTime": next(expected, None)}


def _position(payload: Mapping[str, Any]) -> dict[str, Any]:
    location = {"lat": payload.get("latitude"), "lng": payload.get("longitude")}
    return {"location": location, "eta": _minutes(payload)}


def _minutes(payload: Mapping[str, Any]) -> str | None:
    if not payload.get("estimatedDeliveryAt"):
        return None
    left = _moment(payload["estimatedDeliveryAt"]) - _moment(payload["at"])
    minutes = max(1, math.ceil(left.total_seconds() / 60))
    return "1 min" if minutes == 1 else f"{minutes} mins"


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _new_order(payload: Mapping[str, Any]) -> dict[str, Any]:
    cents = payload.get("totalCents")
    return {"total": None if cents is None else cents / 100}


_SEEDS: Mapping[Happening, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    Happening.STATUS: _status,
    Happening.POSITION: _position,
    Happening.NEW_ORDER: _new_order,
}
