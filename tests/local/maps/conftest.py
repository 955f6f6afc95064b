"""One stand-in for the tests of a file, and its clients."""

from collections.abc import Iterator

import googlemaps
import httpx
import pytest

from tests.local.maps.maps_serving import GOOGLE_KEY, MAPBOX_TOKEN, maps_stand_in


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with maps_stand_in() as url:
        yield url


@pytest.fixture
def http(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url) as client:
        client.delete("/_control/calls")
        yield client
        client.delete("/_control/faults")


@pytest.fixture
def google(base_url: str) -> Iterator[googlemaps.Client]:
    client = googlemaps.Client(
        key=GOOGLE_KEY, base_url=base_url, timeout=10, retry_over_query_limit=False
    )
    yield client
    client.session.close()


@pytest.fixture
def mapbox(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url, params={"access_token": MAPBOX_TOKEN}) as client:
        yield client
