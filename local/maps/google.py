"""Google's geocoding and distance matrix web services.

Errors are Google's: a bad key is `REQUEST_DENIED` with HTTP 200, a geocoding call without a
parameter is `INVALID_REQUEST` with HTTP 400, a distance matrix without one is the same with 200.
`region` and `language` only colour Google's answers, and are ignored.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from local.maps.atlas import Atlas
from local.maps.control import Refusal
from local.maps.gate import AnsweredEarly, pass_gate
from local.maps.google_filter import passes
from local.maps.google_geocodes import geocode_result, position
from local.maps.google_matrix import Stop, matrix_row

GEOCODE = "/maps/api/geocode/json"
DISTANCE_MATRIX = "/maps/api/distancematrix/json"
MAX_STOPS = 25
MAX_ELEMENTS = 100

_NO_RESULT: dict[str, dict[str, Any]] = {
    GEOCODE: {"results": []},
    DISTANCE_MATRIX: {"destination_addresses": [], "origin_addresses": [], "rows": []},
}
_NO_KEY = (
    "You must use an API key to authenticate each request to Google Maps Platform APIs. "
    "For additional information, please refer to http://g.co/dev/maps-no-account"
)
_REFUSALS: dict[Refusal, str] = {
    "over_query_limit": "You have exceeded your rate-limit for this API.",
    "request_denied": "This API project is not authorized to use this API.",
}

router = APIRouter()


async def _open_atlas(request: Request, key: str = "") -> Atlas:
    """The map to answer from, for a call that got through its fault and has a key."""
    path = request.url.path
    atlas = await pass_gate(
        request, "google", lambda kind: _error(path, kind.upper(), _REFUSALS[kind])
    )
    if not key:
        raise AnsweredEarly(_error(path, "REQUEST_DENIED", _NO_KEY))
    if not key.startswith("AIza"):
        message = "The provided API key is invalid. "
        raise AnsweredEarly(_error(path, "REQUEST_DENIED", message))
    return atlas


OpenAtlas = Annotated[Atlas, Depends(_open_atlas)]


@router.get(GEOCODE)
async def geocode(
    atlas: OpenAtlas, address: str = "", latlng: str = "", components: str = ""
) -> Response:
    """An address's position, or (`latlng`) a position's addresses, the most exact first."""
    if latlng:
        point = position(latlng)
        if point is None:
            return _invalid_geocode("Invalid request. Invalid 'latlng' parameter.")
        spots = atlas.around(point)
    elif address:
        spot = atlas.find(address)
        spots = [spot] if spot and passes(spot, components) else []
    else:
        return _invalid_geocode(
            "Invalid request. "
            "Missing the 'address', 'components', 'latlng' or 'place_id' parameter."
        )
    results = [geocode_result(spot) for spot in spots]
    return JSONResponse({"results": results, "status": "OK" if results else "ZERO_RESULTS"})


@router.get(DISTANCE_MATRIX)
async def distance_matrix(atlas: OpenAtlas, origins: str = "", destinations: str = "") -> Response:
    """The drive from every origin to every destination, metric; `|` stands between stops."""
    for name, value in (("origins", origins), ("destinations", destinations)):
        if not value:
            message = f"Invalid request. Missing the '{name}' parameter."
            return _error(DISTANCE_MATRIX, "INVALID_REQUEST", message)
    starts = [Stop.read(text, atlas) for text in origins.split("|")]
    ends = [Stop.read(text, atlas) for text in destinations.split("|")]
    if max(len(starts), len(ends)) > MAX_STOPS:
        return _error(DISTANCE_MATRIX, "MAX_DIMENSIONS_EXCEEDED")
    if len(starts) * len(ends) > MAX_ELEMENTS:
        return _error(DISTANCE_MATRIX, "MAX_ELEMENTS_EXCEEDED")
    return JSONResponse(
        {
            "destination_addresses": [end.address for end in ends],
            "origin_addresses": [start.address for start in starts],
            "rows": [matrix_row(start, ends) for start in starts],
            "status": "OK",
        }
    )


def _invalid_geocode(message: str) -> Response:
    return _error(GEOCODE, "INVALID_REQUEST", message, http_status=400)


def _error(path: str, status: str, message: str | None = None, http_status: int = 200) -> Response:
    """An answer in the endpoint's shape with no result in it."""
    explained = {"error_message": message} if message else {}
    return JSONResponse({**explained, **_NO_RESULT[path], "status": status}, http_status)
