"""Zones whose histories begin anew after some twenty looks.

Without a cache of workflows each look replays all those before it: an hour of a zone's looks, of
which there is one in each minute, would be some thousand.
"""

from typing import Any

from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

from schema.messages.dispatch import ZoneStart

_LOOKS = 25


class ShortZones(Interceptor):
    """Has a client start such zones."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        return _Shortening(next)


class _Shortening(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        input.args = [_shortened(arg) if isinstance(arg, ZoneStart) else arg for arg in input.args]
        return await super().start_workflow(input)


def _shortened(start: ZoneStart) -> ZoneStart:
    return start.model_copy(update={"most_ticks": min(start.most_ticks, _LOOKS)})
