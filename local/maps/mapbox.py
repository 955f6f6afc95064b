"""Mapbox's geocoding v6: forward and reverse, with its own tokens and error answers.

Read are `types` and `limit`; what else Mapbox takes (`autocomplete`, `country`, `permanent`, …)
makes no difference on this map, and is ignored.
"""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from domain.geo import Point
from local.maps.atlas import Atlas
from local.maps.control import Refusal
from local.maps.gate import AnsweredEarly, pass_gate
from local.maps.mapbox_features import feature, feature_type
from local.maps.places import Spot

router = APIRouter(prefix="/search/geocode/v6")

ATTRIBUTION = "NOTICE: a stand-in for Mapbox, with streets of its own."

_REFUSALS: dict[Refusal, tuple[int, str]] = {
    "over_query_limit": (429, "Too Many Requests"),
    "request_denied": (403, "Forbidden"),
}


async def _open_atlas(request: Request, access_token: str = "") -> Atlas:
    """The map to answer from, for a call that got through its fault and has a token."""
    atlas = await pass_gate(request, "mapbox", lambda kind: _error(*_REFUSALS[kind]))
    if not access_token:
        raise AnsweredEarly(_error(401, "Not Authorized - No Token"))
    if not access_token.startswith(("pk.", "sk.", "tk.")):
        raise AnsweredEarly(_error(401, "Not Authorized - Invalid Token"))
    return atlas


OpenAtlas = Annotated[Atlas, Depends(_open_atlas)]


@router.get("/forward")
async def forward(atlas: OpenAtlas, q: str = "", types: str = "", limit: int = 5) -> Response:
    """The position of what `q` names."""
    if not q:
        return _error(400, "Missing required parameter: q")
    spot = atlas.find(q)
    return _answer([spot] if spot else [], types, limit)


@router.get("/reverse")
async def reverse(
    atlas: OpenAtlas, longitude: str = "", latitude: str = "", types: str = "", limit: int = 5
) -> Response:
    """The addresses of a position in degrees, the most exact first."""
    try:
        point = Point(latitude=float(latitude), longitude=float(longitude))
    except ValueError:
        return _error(400, "Invalid or missing parameter: longitude, latitude")
    return _answer(atlas.around(point), types, limit)


def _answer(spots: Iterable[Spot], types: str, limit: int) -> Response:
    wanted = types.split(",") if types else None
    features = [feature(spot) for spot in spots if wanted is None or feature_type(spot) in wanted]
    return JSONResponse(
        {"type": "FeatureCollection", "features": features[:limit], "attribution": ATTRIBUTION}
    )


def _error(http_status: int, message: str) -> Response:
    return JSONResponse({"message": message}, http_status)
