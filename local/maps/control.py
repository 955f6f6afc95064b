"""The control panel: faults to order, and calls to count."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveInt

Provider = Literal["google", "mapbox"]
Refusal = Literal["over_query_limit", "request_denied"]
FaultKind = Literal["zero_results", "timeout", "server_error", "not_json"] | Refusal


class Fault(BaseModel):
    """What goes wrong with the next `times` calls to `provider`."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    times: PositiveInt = 1
    provider: Provider = "google"
    seconds: NonNegativeFloat = 30.0
    """How long a `timeout` holds the answer."""


class Control:
    """The faults that are still to come, and the calls that have been."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self._released = asyncio.Event()

    def next_fault(self, provider: Provider) -> Fault | None:
        """Take the fault that was ordered first for `provider`, if any is left."""
        fault = next((fault for fault in self.faults if fault.provider == provider), None)
        if fault is not None:
            fault.times -= 1
            self.faults = [fault for fault in self.faults if fault.times > 0]
        return fault

    def clear_faults(self) -> None:
        """Forget all faults, and let go of the answers being held."""
        self.faults = []
        self._released.set()
        self._released = asyncio.Event()

    async def hold(self, seconds: float) -> None:
        """Wait `seconds`, or until the faults are cleared."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._released.wait()


def control_of(request: Request) -> Control:
    """The control panel of the application that `request` reached."""
    control: Control = request.app.state.control
    return control


Panel = Annotated[Control, Depends(control_of)]
router = APIRouter(prefix="/_control")


@router.post("/faults", status_code=201)
async def order_fault(fault: Fault, control: Panel) -> Fault:
    """Order a fault; faults of one provider happen in the order they were asked for."""
    control.faults.append(fault)
    return fault


@router.get("/faults")
async def list_faults(control: Panel) -> list[Fault]:
    """The faults that have not happened yet."""
    return control.faults


@router.delete("/faults", status_code=204)
async def clear_faults(control: Panel) -> None:
    """Forget all faults."""
    control.clear_faults()


@router.get("/calls")
async def count_calls(control: Panel) -> dict[str, int]:
    """How often each endpoint was called, faulty answers included."""
    return control.calls


@router.delete("/calls", status_code=204)
async def reset_calls(control: Panel) -> None:
    """Count from zero again."""
    control.calls.clear()
