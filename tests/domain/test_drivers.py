"""Who has shown what he must, and until when it is good."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import drivers as rules
from domain.drivers import DocumentType, Vehicle
from domain.verification import DocumentStatus, Paper, Verification, has_expired, may_become

S, D = DocumentStatus, DocumentType
TODAY = date(2026, 1, 31)

days = st.integers(-500, 500).map(lambda count: TODAY + timedelta(days=count))
papers = st.lists(
    st.builds(Paper, st.sampled_from(D), st.sampled_from(S), st.none() | days), max_size=12
)
vehicles = st.sampled_from(Vehicle)


def all_papers(vehicle: Vehicle, end: date | None = None) -> list[Paper[DocumentType]]:
    return [Paper(kind, S.APPROVED, end) for kind in rules.required(vehicle)]


@pytest.mark.parametrize("vehicle", Vehicle)
def test_who_has_shown_everything_misses_nothing_for_ever(vehicle: Vehicle) -> None:
    shown = all_papers(vehicle)

    assert rules.missing(vehicle, shown, TODAY) == ()
    assert rules.expire_on(vehicle, shown) is None


@pytest.mark.parametrize("vehicle", Vehicle)
def test_a_document_is_good_until_the_end_of_its_last_day(vehicle: Vehicle) -> None:
    shown = all_papers(vehicle, TODAY)

    assert rules.missing(vehicle, shown, TODAY) == ()
    assert rules.missing(vehicle, shown, TODAY + timedelta(days=1)) == rules.required(vehicle)
    assert not has_expired(rules.expire_on(vehicle, shown), TODAY)
    assert has_expired(rules.expire_on(vehicle, shown), TODAY + timedelta(days=1))


def test_a_bicycle_needs_no_licence_and_everything_else_does() -> None:
    needing = {v for v in Vehicle if D.DRIVING_LICENCE in rules.required(v)}

    assert needing == set(Vehicle) - {Vehicle.BICYCLE}
    assert needing == {v for v in Vehicle if rules.needs_plate(v)}


@given(vehicles, papers, days)
def test_good_is_who_misses_nothing_and_whose_end_has_not_come(
    vehicle: Vehicle, shown: list[Paper[DocumentType]], today: date
) -> None:
    proven = not rules.unproven(vehicle, shown)
    in_time = not has_expired(rules.expire_on(vehicle, shown), today)

    assert (not rules.missing(vehicle, shown, today)) == (proven and in_time)


@given(vehicles, papers, st.sampled_from(D), days)
def test_another_approved_document_never_makes_it_worse(
    vehicle: Vehicle, shown: list[Paper[DocumentType]], kind: DocumentType, today: date
) -> None:
    before = set(rules.missing(vehicle, shown, today))

    after = set(rules.missing(vehicle, [*shown, Paper(kind, S.APPROVED, None)], today))

    assert after == before - {kind}


@given(vehicles, papers, days)
def test_what_was_not_approved_counts_for_nothing(
    vehicle: Vehicle, shown: list[Paper[DocumentType]], today: date
) -> None:
    approved = [paper for paper in shown if paper.status is S.APPROVED]

    assert rules.missing(vehicle, shown, today) == rules.missing(vehicle, approved, today)
    assert rules.expire_on(vehicle, shown) == rules.expire_on(vehicle, approved)


@given(vehicles, papers)
def test_there_is_something_to_look_at_when_nothing_is_without_hope(
    vehicle: Vehicle, shown: list[Paper[DocumentType]]
) -> None:
    hopeful = {paper.type for paper in shown if paper.status is not S.REJECTED}

    assert (not rules.unseen(vehicle, shown)) == (set(rules.required(vehicle)) <= hopeful)


@given(vehicles, st.integers(1, 9), st.floats(0.1, 30))
def test_no_vehicle_takes_more_or_reaches_further_than_is_set(
    vehicle: Vehicle, most: int, furthest: float
) -> None:
    assert 1 <= rules.capacity(vehicle, most) <= most
    assert 0 < rules.reach_km(vehicle, furthest) <= furthest
    assert rules.reach_km(Vehicle.BICYCLE, furthest) <= rules.reach_km(vehicle, furthest)


def test_nobody_is_made_pending_and_nobody_turned_away_without_being_suspended() -> None:
    assert not any(may_become(was, Verification.PENDING) for was in Verification)
    assert not may_become(Verification.APPROVED, Verification.REJECTED)
    assert not may_become(Verification.PENDING, Verification.SUSPENDED)
    assert all(
        may_become(was, Verification.APPROVED) == (was is not Verification.APPROVED)
        for was in Verification
    )
