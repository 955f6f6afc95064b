"""The HTTP server underneath: uvicorn, with each connection within reach of its requests."""

import asyncio
from copy import deepcopy

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BreakableHttp(HttpToolsProtocol):
    """uvicorn's HTTP, which tells a request's `state` its connection, for faults to break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": transport}


def configure(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """Return the configuration under which every fault works; all is logged to stdout."""
    logging = deepcopy(LOGGING_CONFIG)
    logging["handlers"]["default"]["stream"] = "ext://sys.stdout"
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BreakableHttp,
        # Otherwise a webhook delivery that crashes would be taken for an app without a lifespan.
        lifespan="on",
        log_config=logging,
    )
