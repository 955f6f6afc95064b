"""Mapbox's half of the stand-in, as plain HTTP sees it."""

from typing import Any

import httpx
import pytest

from tests.local.maps.maps_serving import FORWARD, REVERSE, SEED_ADDRESS


def test_forward_has_mapboxes_shape(mapbox: httpx.Client) -> None:
    answer = mapbox.get(FORWARD, params={"q": SEED_ADDRESS}).json()
    (feature,) = answer["features"]
    assert answer["type"] == "FeatureCollection"
    assert feature["type"] == "Feature"
    assert feature["geometry"] == {"type": "Point", "coordinates": [-97.7431, 30.2672]}
    properties = feature["properties"]
    assert feature["id"] == properties["mapbox_id"]
    assert properties["feature_type"] == "address"
    assert properties["name"] == "123 Main Street"
    assert properties["place_formatted"] == "Austin, Texas 78701, United States"
    assert properties["full_address"] == "123 Main Street, Austin, Texas 78701, United States"
    assert properties["coordinates"] == {
        "longitude": -97.7431,
        "latitude": 30.2672,
        "accuracy": "rooftop",
        "routable_points": [{"name": "default", "longitude": -97.7431, "latitude": 30.2672}],
    }
    assert properties["match_code"]["confidence"] == "exact"
    assert {kind: part["name"] for kind, part in properties["context"].items()} == {
        "address": "123 Main Street",
        "street": "Main Street",
        "postcode": "78701",
        "place": "Austin",
        "district": "Travis County",
        "region": "Texas",
        "country": "United States",
    }


def test_reverse_gives_the_address_its_street_and_its_city(mapbox: httpx.Client) -> None:
    question = {"longitude": -97.7431, "latitude": 30.2672}
    answer = mapbox.get(REVERSE, params=question).json()
    assert [found["properties"]["full_address"] for found in answer["features"]] == [
        "123 Main Street, Austin, Texas 78701, United States",
        "Main Street, Austin, Texas 78701, United States",
        "Austin, Texas, United States",
    ]
    assert [found["properties"]["feature_type"] for found in answer["features"]] == [
        "address",
        "street",
        "place",
    ]


def test_types_and_limit_narrow_the_answer(mapbox: httpx.Client) -> None:
    question: dict[str, Any] = {"longitude": -97.7431, "latitude": 30.2672}
    answer = mapbox.get(REVERSE, params={**question, "types": "street,place", "limit": 1})
    (feature,) = answer.json()["features"]
    assert feature["properties"]["feature_type"] == "street"


@pytest.mark.parametrize(
    ("address", "confidence"),
    [
        ("123 Main St, Austin, TX 78799", "medium"),
        ("99999 Main St, Austin, TX 78701", "low"),
    ],
)
def test_confidence_shrinks_with_every_correction(
    mapbox: httpx.Client, address: str, confidence: str
) -> None:
    (feature,) = mapbox.get(FORWARD, params={"q": address}).json()["features"]
    assert feature["properties"]["match_code"]["confidence"] == confidence


def test_what_is_not_on_the_map_has_no_feature(mapbox: httpx.Client) -> None:
    assert mapbox.get(FORWARD, params={"q": "1 Nowhere St, Austin"}).json()["features"] == []
    sea = {"longitude": -60, "latitude": 25}
    assert mapbox.get(REVERSE, params=sea).json()["features"] == []


@pytest.mark.parametrize("path", [FORWARD, REVERSE])
def test_a_question_is_needed(mapbox: httpx.Client, path: str) -> None:
    answer = mapbox.get(path)
    assert answer.status_code == 400
    assert "parameter" in answer.json()["message"]


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ({}, "Not Authorized - No Token"),
        ({"access_token": "nonsense"}, "Not Authorized - Invalid Token"),
    ],
)
def test_a_token_is_needed(http: httpx.Client, token: dict[str, str], message: str) -> None:
    answer = http.get(FORWARD, params={"q": SEED_ADDRESS, **token})
    assert (answer.status_code, answer.json()) == (401, {"message": message})
