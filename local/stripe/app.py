"""The wiring: routes, the store, and what runs beside the requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.routing import Route

from local.stripe import account_links, control, control_connect, three_d_secure, timers
from local.stripe.catalog import OPERATIONS, TIMER_ACTIONS
from local.stripe.deliverer import Deliverer
from local.stripe.errors import StripeError
from local.stripe.faults import Faults
from local.stripe.gateway import Gateway
from local.stripe.operations import Operation
from local.stripe.store import Store

ANY_METHOD = ["DELETE", "GET", "PATCH", "POST", "PUT"]


def create_app(state_file: Path, retry_seconds: float = 1.0) -> FastAPI:
    """Return a Stripe that keeps everything in `state_file`.

    `retry_seconds` is the pause after the first failed attempt to deliver a webhook. Serve it with
    `server.configure`: faults that break connections need that.
    """
    store = Store(state_file)
    faults = Faults()
    gateway = Gateway(store, faults)
    deliverer = Deliverer(store, retry_seconds)
    store.on_commit = deliverer.wake

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(deliverer.run()),
                tasks.create_task(timers.run(store, TIMER_ACTIONS)),
            ]
            yield
            for task in running:
                task.cancel()
        store.close()

    app = FastAPI(
        title="Stripe, locally: the control door",
        lifespan=lifespan,
        docs_url=f"{control.PREFIX}/docs",
        openapi_url=f"{control.PREFIX}/openapi.json",
        redoc_url=None,
    )
    app.add_exception_handler(StripeError, _refuse_control)
    app.include_router(control.router(store, faults))
    app.include_router(control_connect.router(store))
    app.include_router(three_d_secure.router(store))
    app.include_router(account_links.router(store))
    app.router.routes.append(Route("/healthz", _healthy))
    app.router.routes.extend(_route(gateway, operation) for operation in OPERATIONS)
    app.router.routes.append(Route("/{path:path}", gateway.refuse_unknown, methods=ANY_METHOD))
    return app


def _route(gateway: Gateway, operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        return await gateway.serve(operation, request)

    return Route(operation.path, endpoint, methods=[operation.method])


async def _healthy(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _refuse_control(_: Request, error: Exception) -> JSONResponse:
    """Answer a control call that Stripe's own rules refuse."""
    status = error.status if isinstance(error, StripeError) else 500
    return JSONResponse({"detail": str(error)}, status)
