"""What keeps a message from going out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivering import (
    BY_CHANNEL,
    GOOD_FOR,
    OF_OPERATORS,
    DeliveryStatus,
    Obstacle,
    Standing,
    Way,
    ends_as,
    obstacle,
)
from domain.notifications import Urgency
from domain.preferences import Channel

ANY_WAY, ANY_STANDING = st.sampled_from(Way), st.builds(Standing)

# What is in the way of everything that somebody gets for himself.
IN_THE_WAY = {
    Obstacle.NOTHING_TO_SAY: {"is_said": False},
    Obstacle.NOT_SET_UP: {"is_set_up": False},
    Obstacle.ACCOUNT_CLOSED: {"has_account": False},
    Obstacle.NO_ADDRESS: {"has_address": False},
    Obstacle.DEAD: {"is_dead": True},
    Obstacle.SWITCHED_OFF: {"is_wanted": False},
    Obstacle.OFFER_OVER: {"is_offered": False},
}


@pytest.mark.parametrize("way", list(Way))
def test_nothing_is_in_the_way_of_what_is_as_it_should_be(way: Way) -> None:
    assert obstacle(way, Standing()) is None
    assert obstacle(way, Standing(is_offered=True)) is None


@pytest.mark.parametrize("found", list(IN_THE_WAY))
def test_each_obstacle_is_named(found: Obstacle) -> None:
    for way in BY_CHANNEL.values():
        assert obstacle(way, replace(Standing(), **IN_THE_WAY[found])) is found


@pytest.mark.parametrize(
    ("standing", "found"),
    [
        (Standing(is_read=True), Obstacle.READ),
        (Standing(is_so=False), Obstacle.NOT_SO_ANY_MORE),
    ],
    ids=["read", "over"],
)
def test_what_was_read_or_was_so_for_a_moment_does_not_ring_but_is_mailed(
    standing: Standing, found: Obstacle
) -> None:
    assert {way: obstacle(way, standing) for way in BY_CHANNEL.values()} == {
        Way.EMAIL: None,
        Way.SMS: found,
        Way.PUSH: found,
    }


@given(ANY_STANDING)
def test_what_operators_are_told_together_does_not_depend_on_the_first_of_them(
    standing: Standing,
) -> None:
    for way in OF_OPERATORS:
        found = obstacle(way, standing)
        assert found in {None, Obstacle.NOTHING_TO_SAY, Obstacle.NOT_SET_UP, Obstacle.OFFER_OVER}


@given(ANY_WAY, ANY_STANDING)
def test_only_what_is_dead_ends_as_dead(way: Way, standing: Standing) -> None:
    found = obstacle(way, standing)
    if found is not None:
        is_dead = ends_as(found) is DeliveryStatus.DEAD
        assert is_dead == (found is Obstacle.DEAD)
        assert not is_dead or standing.is_dead


def test_every_channel_but_the_app_is_a_way_and_every_urgency_lasts() -> None:
    assert set(BY_CHANNEL) == set(Channel) - {Channel.IN_APP}
    assert set(BY_CHANNEL.values()) | OF_OPERATORS == set(Way)
    assert set(GOOD_FOR) == set(Urgency)
    assert GOOD_FOR[Urgency.LIVE] < GOOD_FOR[Urgency.NOW] < GOOD_FOR[Urgency.NORMAL]
