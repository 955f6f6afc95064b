"""The stand-in as one web application: two providers on one map, and a control panel."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from local.maps import control, google, mapbox
from local.maps.austin import AUSTIN
from local.maps.gate import AnsweredEarly


def create_app() -> FastAPI:
    """A stand-in of its own: the same map as any other, but no fault and no call in common."""
    app = FastAPI(title="Google Maps and Mapbox stand-in")
    app.state.atlas = AUSTIN
    app.state.control = control.Control()
    app.include_router(google.router)
    app.include_router(mapbox.router)
    app.include_router(control.router)

    @app.exception_handler(AnsweredEarly)
    async def answer_early(_request: Request, answered: AnsweredEarly) -> Response:
        return answered.response

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
