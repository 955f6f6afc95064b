"""What every call to a provider meets before it is answered: the count, then its fault."""

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from local.maps.atlas import Atlas
from local.maps.control import Provider, Refusal, control_of

_NOWHERE = Atlas(())


class AnsweredEarly(Exception):
    """Not an error: the call has its answer before its endpoint was asked."""

    def __init__(self, response: Response) -> None:
        self.response = response


async def pass_gate(
    request: Request, provider: Provider, refusal: Callable[[Refusal], Response]
) -> Atlas:
    """Count the call, let its fault happen, and say which map the answer is read from."""
    control = control_of(request)
    control.calls[request.url.path] += 1
    atlas: Atlas = request.app.state.atlas
    fault = control.next_fault(provider)
    if fault is None:
        return atlas
    match fault.kind:
        case "timeout":
            await control.hold(fault.seconds)
            return atlas
        case "zero_results":
            return _NOWHERE
        case "server_error":
            raise AnsweredEarly(PlainTextResponse("Internal Server Error", status_code=500))
        case "not_json":
            raise AnsweredEarly(HTMLResponse("<!doctype html><title>Sorry</title>"))
        case refused:
            raise AnsweredEarly(refusal(refused))
