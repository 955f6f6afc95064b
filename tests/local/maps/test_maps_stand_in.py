"""The stand-in as a whole: the faults it makes to order, the calls it counts, its command."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import googlemaps
import httpx
import pytest
import requests
from googlemaps.exceptions import ApiError, Timeout

from tests.local.maps.maps_serving import FORWARD, GEOCODE, GOOGLE_KEY, MATRIX, SEED_ADDRESS


def order_fault(http: httpx.Client, **fault: object) -> None:
    assert http.post("/_control/faults", json=fault).status_code == 201


class TestFaults:
    def test_google_finds_nothing(self, http: httpx.Client, google: googlemaps.Client) -> None:
        order_fault(http, kind="zero_results", times=2)
        assert google.geocode(SEED_ADDRESS) == []
        row = google.distance_matrix([SEED_ADDRESS], [(30.275, -97.75)])["rows"][0]
        assert row == {"elements": [{"status": "NOT_FOUND"}]}
        assert len(google.geocode(SEED_ADDRESS)) == 1

    @pytest.mark.parametrize("status", ["OVER_QUERY_LIMIT", "REQUEST_DENIED"])
    def test_google_refuses(
        self, http: httpx.Client, google: googlemaps.Client, status: str
    ) -> None:
        order_fault(http, kind=status.lower())
        with pytest.raises(ApiError, match=status):
            google.geocode(SEED_ADDRESS)

    def test_google_keeps_silent(self, http: httpx.Client, base_url: str) -> None:
        order_fault(http, kind="timeout", seconds=30)
        with requests.Session() as session, pytest.raises(Timeout):
            googlemaps.Client(
                key=GOOGLE_KEY, base_url=base_url, timeout=0.2, requests_session=session
            ).geocode(SEED_ADDRESS)

    def test_google_is_slow(self, http: httpx.Client, google: googlemaps.Client) -> None:
        order_fault(http, kind="timeout", seconds=0.05)
        assert len(google.geocode(SEED_ADDRESS)) == 1

    def test_google_breaks_and_its_client_tries_again(
        self, http: httpx.Client, google: googlemaps.Client
    ) -> None:
        order_fault(http, kind="server_error")
        assert len(google.geocode(SEED_ADDRESS)) == 1
        assert http.get("/_control/calls").json() == {GEOCODE: 2}

    def test_google_does_not_answer_in_json(
        self, http: httpx.Client, google: googlemaps.Client
    ) -> None:
        order_fault(http, kind="not_json")
        with pytest.raises(ValueError, match="Expecting value"):
            google.geocode(SEED_ADDRESS)

    @pytest.mark.parametrize(
        ("kind", "http_status"),
        [("over_query_limit", 429), ("request_denied", 403), ("server_error", 500)],
    )
    def test_mapbox_refuses(
        self, http: httpx.Client, mapbox: httpx.Client, kind: str, http_status: int
    ) -> None:
        order_fault(http, kind=kind, provider="mapbox")
        assert mapbox.get(FORWARD, params={"q": SEED_ADDRESS}).status_code == http_status

    def test_mapbox_finds_nothing(self, http: httpx.Client, mapbox: httpx.Client) -> None:
        order_fault(http, kind="zero_results", provider="mapbox")
        assert mapbox.get(FORWARD, params={"q": SEED_ADDRESS}).json()["features"] == []

    def test_a_fault_is_one_providers_only(
        self, http: httpx.Client, google: googlemaps.Client
    ) -> None:
        order_fault(http, kind="server_error", provider="mapbox")
        assert len(google.geocode(SEED_ADDRESS)) == 1

    def test_faults_are_listed_until_they_have_happened(
        self, http: httpx.Client, google: googlemaps.Client
    ) -> None:
        order_fault(http, kind="zero_results", times=2)
        google.geocode(SEED_ADDRESS)
        (left,) = http.get("/_control/faults").json()
        assert (left["kind"], left["provider"], left["times"]) == ("zero_results", "google", 1)
        http.delete("/_control/faults")
        assert http.get("/_control/faults").json() == []
        assert len(google.geocode(SEED_ADDRESS)) == 1

    @pytest.mark.parametrize("nonsense", [{"kind": "earthquake"}, {"kind": "timeout", "secnds": 1}])
    def test_an_unknown_fault_is_refused(
        self, http: httpx.Client, nonsense: dict[str, object]
    ) -> None:
        assert http.post("/_control/faults", json=nonsense).status_code == 422
        assert http.get("/_control/faults").json() == []


def test_calls_are_counted_by_endpoint(
    http: httpx.Client, google: googlemaps.Client, mapbox: httpx.Client
) -> None:
    google.geocode(SEED_ADDRESS)
    google.reverse_geocode((30.2672, -97.7431))
    google.distance_matrix([SEED_ADDRESS], [SEED_ADDRESS])
    mapbox.get(FORWARD, params={"q": SEED_ADDRESS})
    assert http.get("/_control/calls").json() == {GEOCODE: 2, MATRIX: 1, FORWARD: 1}
    http.delete("/_control/calls")
    assert http.get("/_control/calls").json() == {}


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "local.maps", "--port", "0"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = (re.search(r"running on (http://\S+)", line) for line in process.stderr)
        url = next(match[1] for match in lines if match)
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        process.terminate()
    assert process.returncode == -signal.SIGTERM
