"""Google's half of the stand-in, as Google's official client sees it."""

import re

import googlemaps
import httpx
import pytest
from googlemaps.exceptions import ApiError, HTTPError

from domain.geo import Point, road_km
from local.maps.google_matrix import distance_text, duration_text
from tests.local.maps.maps_serving import GEOCODE, GOOGLE_KEY, MATRIX, SEED_ADDRESS

SEED_POSITION = {"lat": 30.2672, "lng": -97.7431}


class TestGoogleGeocoding:
    def test_the_seed_address_has_the_seed_position(self, google: googlemaps.Client) -> None:
        (result,) = google.geocode(SEED_ADDRESS)
        assert result["geometry"]["location"] == SEED_POSITION

    def test_the_seed_position_has_the_seed_address(self, google: googlemaps.Client) -> None:
        addresses = [found["formatted_address"] for found in google.reverse_geocode(SEED_POSITION)]
        assert addresses == [
            f"{SEED_ADDRESS}, USA",
            "Main St, Austin, TX 78701, USA",
            "Austin, TX, USA",
        ]

    def test_a_result_has_googles_shape(self, google: googlemaps.Client) -> None:
        (result,) = google.geocode(SEED_ADDRESS)
        place_id = result.pop("place_id")
        assert re.fullmatch(r"ChIJ[\w-]{23}", place_id)
        assert result == {
            "address_components": [
                {"long_name": "123", "short_name": "123", "types": ["street_number"]},
                {"long_name": "Main Street", "short_name": "Main St", "types": ["route"]},
                {
                    "long_name": "Austin",
                    "short_name": "Austin",
                    "types": ["locality", "political"],
                },
                {
                    "long_name": "Travis County",
                    "short_name": "Travis County",
                    "types": ["administrative_area_level_2", "political"],
                },
                {
                    "long_name": "Texas",
                    "short_name": "TX",
                    "types": ["administrative_area_level_1", "political"],
                },
                {
                    "long_name": "United States",
                    "short_name": "US",
                    "types": ["country", "political"],
                },
                {"long_name": "78701", "short_name": "78701", "types": ["postal_code"]},
            ],
            "formatted_address": "123 Main St, Austin, TX 78701, USA",
            "geometry": {
                "location": SEED_POSITION,
                "location_type": "ROOFTOP",
                "viewport": {
                    "northeast": pytest.approx({"lat": 30.26855, "lng": -97.74175}, abs=1e-5),
                    "southwest": pytest.approx({"lat": 30.26585, "lng": -97.74445}, abs=1e-5),
                },
            },
            "types": ["street_address"],
        }

    @pytest.mark.parametrize(
        "spelling",
        [
            "123 Main Street, Austin, Texas 78701, United States",
            "123 main st austin tx",
            "123 MAIN ST., AUSTIN TX 78701-1234 USA",
            "123 Main St Apt 4B, Austin, TX 78701",
            "123 Main St #4, Austin",
            "123 Main St, 78701",
            "123 Main St",
        ],
    )
    def test_one_address_may_be_spelled_in_many_ways(
        self, google: googlemaps.Client, spelling: str
    ) -> None:
        (result,) = google.geocode(spelling)
        assert result["geometry"]["location"] == SEED_POSITION
        assert "partial_match" not in result

    @pytest.mark.parametrize(
        "address",
        [
            "123 Nowhere Blvd, Austin, TX 78701",
            "123 Main St, Springfield, TX",
            "123 Main St, Austin, MN 55912",
            "123 Burnet Rd, Dallas, TX",
            "Main St 123, Austin",
            "Maine",
            "?",
        ],
    )
    def test_what_is_not_on_the_map_has_no_result(
        self, google: googlemaps.Client, address: str
    ) -> None:
        assert google.geocode(address) == []

    def test_the_city_tells_namesakes_apart(self, google: googlemaps.Client) -> None:
        cities = ["Austin", "Round Rock", "Dallas"]
        found = [google.geocode(f"400 Main St, {city}, TX")[0] for city in cities]
        assert [result["address_components"][2]["long_name"] for result in found] == cities

    def test_so_does_the_postal_code(self, google: googlemaps.Client) -> None:
        (result,) = google.geocode("400 Main St, TX 75201")
        assert result["formatted_address"] == "400 Main St, Dallas, TX 75201, USA"

    def test_a_wrong_postal_code_is_corrected(self, google: googlemaps.Client) -> None:
        (result,) = google.geocode("123 Main St, Austin, TX 78799")
        assert result["formatted_address"] == "123 Main St, Austin, TX 78701, USA"
        assert result["partial_match"] is True

    def test_a_number_beyond_the_street_is_a_guess_at_its_end(
        self, google: googlemaps.Client
    ) -> None:
        (guess,) = google.geocode("99999 Main St, Austin, TX")
        (end,) = google.geocode("1000 Main St, Austin, TX")
        assert guess["geometry"]["location"] == end["geometry"]["location"]
        assert guess["geometry"]["location_type"] == "RANGE_INTERPOLATED"
        assert guess["partial_match"] is True

    @pytest.mark.parametrize(
        ("address", "types", "location_type"),
        [
            ("Congress Ave, Austin, TX", ["route"], "GEOMETRIC_CENTER"),
            ("Austin, TX", ["locality", "political"], "APPROXIMATE"),
        ],
    )
    def test_a_street_and_a_city_are_less_exact(
        self, google: googlemaps.Client, address: str, types: list[str], location_type: str
    ) -> None:
        (result,) = google.geocode(address)
        assert result["types"] == types
        assert result["geometry"]["location_type"] == location_type

    @pytest.mark.parametrize(
        ("components", "found"),
        [
            ({"country": "US", "administrative_area": "TX", "locality": "Austin"}, 1),
            ({"postal_code": "78701", "route": "Main Street"}, 1),
            ({"country": "FR"}, 0),
            ({"locality": "Dallas"}, 0),
            ({"postal_code": "78702"}, 0),
        ],
    )
    def test_components_filter(
        self, google: googlemaps.Client, components: dict[str, str], found: int
    ) -> None:
        results = google.geocode("123 Main St", components=components, region="us")
        assert len(results) == found

    def test_the_open_sea_has_no_address(self, google: googlemaps.Client) -> None:
        assert google.reverse_geocode((25.0, -60.0)) == []


class TestGoogleErrors:
    @pytest.mark.parametrize("path", [GEOCODE, MATRIX])
    @pytest.mark.parametrize("key", [{}, {"key": "not-a-key"}])
    def test_without_a_key_the_request_is_denied(
        self, http: httpx.Client, path: str, key: dict[str, str]
    ) -> None:
        answer = http.get(path, params={"address": SEED_ADDRESS, **key})
        assert answer.status_code == 200
        assert answer.json()["status"] == "REQUEST_DENIED"
        assert "API key" in answer.json()["error_message"]

    @pytest.mark.parametrize("question", [{}, {"latlng": "north,west"}, {"latlng": "91,0"}])
    def test_a_geocode_of_nothing_is_invalid(
        self, http: httpx.Client, question: dict[str, str]
    ) -> None:
        answer = http.get(GEOCODE, params={"key": GOOGLE_KEY, **question})
        assert answer.status_code == 400
        assert answer.json()["status"] == "INVALID_REQUEST"
        assert answer.json()["results"] == []

    def test_the_official_client_raises_on_it(self, google: googlemaps.Client) -> None:
        with pytest.raises(HTTPError, match="400"):
            google.geocode("")

    def test_a_matrix_of_nothing_is_invalid(self, google: googlemaps.Client) -> None:
        with pytest.raises(ApiError, match=r"INVALID_REQUEST.*'destinations'"):
            google.distance_matrix([SEED_ADDRESS], [])

    @pytest.mark.parametrize(
        ("origins", "destinations", "status"),
        [(26, 1, "MAX_DIMENSIONS_EXCEEDED"), (11, 10, "MAX_ELEMENTS_EXCEEDED")],
    )
    def test_a_matrix_may_be_too_large(
        self, google: googlemaps.Client, origins: int, destinations: int, status: str
    ) -> None:
        with pytest.raises(ApiError, match=status):
            google.distance_matrix([SEED_ADDRESS] * origins, [SEED_ADDRESS] * destinations)


class TestGoogleDistanceMatrix:
    def test_every_origin_meets_every_destination(self, google: googlemaps.Client) -> None:
        answer = google.distance_matrix(
            [SEED_ADDRESS, (30.2750, -97.7500)],
            ["500 Congress Ave, Austin, TX", "1 Nowhere St, Austin", (25.0, -60.0)],
            units="metric",
        )
        assert answer["status"] == "OK"
        assert answer["origin_addresses"][0] == f"{SEED_ADDRESS}, USA"
        assert answer["destination_addresses"] == [
            "500 Congress Ave, Austin, TX 78701, USA",
            "",
            "25,-60",
        ]
        assert [[element["status"] for element in row["elements"]] for row in answer["rows"]] == [
            ["OK", "NOT_FOUND", "ZERO_RESULTS"]
        ] * 2

    def test_a_drive_is_the_road_at_city_speed(self, google: googlemaps.Client) -> None:
        origin, destination = (30.2672, -97.7431), (30.2750, -97.7500)
        answer = google.distance_matrix([origin], [destination])
        km = road_km(Point(*origin), Point(*destination))
        assert answer["rows"] == [
            {
                "elements": [
                    {
                        "distance": {"text": "1.4 km", "value": round(km * 1000)},
                        "duration": {"text": "3 mins", "value": round(km / 30 * 3600)},
                        "status": "OK",
                    }
                ]
            }
        ]

    @pytest.mark.parametrize("city", ["San Marcos", "Dallas"])
    def test_other_cities_are_far_away(self, google: googlemaps.Client, city: str) -> None:
        street = {"San Marcos": "E Hopkins St", "Dallas": "Elm St"}[city]
        answer = google.distance_matrix([SEED_ADDRESS], [f"700 {street}, {city}, TX"])
        assert answer["rows"][0]["elements"][0]["distance"]["value"] > 50_000

    @pytest.mark.parametrize(
        ("metres", "text"),
        [(0, "0 m"), (58, "58 m"), (1419, "1.4 km"), (313_400, "313 km"), (1_712_900, "1,713 km")],
    )
    def test_distances_are_written_as_google_does(self, metres: int, text: str) -> None:
        assert distance_text(metres) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0, "1 min"), (170, "3 mins"), (3600, "1 hour"), (7500, "2 hours 5 mins")],
    )
    def test_durations_are_written_as_google_does(self, seconds: int, text: str) -> None:
        assert duration_text(seconds) == text
