"""The table of transitions is the design's, for every pair of states and every actor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import order_status
from domain.order_status import ENDED, TRANSITIONS, Actor, IllegalTransition, OrderStatus

# DESIGN.md, The states, line by line; admin's hand at an assignment is the operators' override, and
# Stripe's at a confirmed order is an authorisation that cannot be captured, and admin's at a
# disputed one decides a complaint. Before the chef accepts, an admin ends the orders of somebody
# who is suspended.
DESIGN = """
pending            payment_confirmed   stripe
pending            cancelled           customer deadline stripe admin
payment_confirmed  accepted            chef
payment_confirmed  cancelled           customer chef deadline stripe admin
accepted           preparing           chef
accepted           cancelled           customer chef admin
preparing          ready_for_pickup    chef
preparing          cancelled           admin chef customer
ready_for_pickup   assigned_to_driver  dispatch admin
ready_for_pickup   cancelled           dispatch admin
assigned_to_driver picked_up           driver
assigned_to_driver ready_for_pickup    driver dispatch admin
assigned_to_driver cancelled           admin
picked_up          in_transit          driver
picked_up          cancelled           admin
in_transit         delivered           driver
in_transit         cancelled           admin
delivered          disputed            stripe customer
delivered          refunded            admin
disputed           delivered           stripe admin
disputed           refunded            stripe admin
"""

LEGAL = {
    (was, to, actor)
    for was, to, *actors in (line.split() for line in DESIGN.strip().splitlines())
    for actor in actors
}

statuses, actors = st.sampled_from(OrderStatus), st.sampled_from(Actor)


@pytest.mark.parametrize("actor", Actor)
@pytest.mark.parametrize("to", OrderStatus)
@pytest.mark.parametrize("was", OrderStatus)
def test_a_step_is_legal_exactly_when_the_design_says_so(
    was: OrderStatus, to: OrderStatus, actor: Actor
) -> None:
    if (was, to, actor) in LEGAL:
        order_status.check(was, to, actor)
        assert to in order_status.allowed(was, actor)
    else:
        with pytest.raises(IllegalTransition) as refused:
            order_status.check(was, to, actor)
        assert refused.value.current is was
        assert refused.value.attempted is to
        assert refused.value.allowed == order_status.allowed(was, actor)
        assert to not in refused.value.allowed


def test_there_are_the_seeds_twelve_states() -> None:
    assert len(OrderStatus) == 12
    assert set(TRANSITIONS) == set(OrderStatus)


@given(st.lists(st.tuples(statuses, actors), max_size=60))
def test_however_an_order_wanders_it_never_leaves_cancelled_or_refunded(
    wishes: list[tuple[OrderStatus, Actor]],
) -> None:
    status = OrderStatus.PENDING
    for to, actor in wishes:
        before = status
        if to in order_status.allowed(status, actor):
            status = to
        if before in {OrderStatus.CANCELLED, OrderStatus.REFUNDED}:
            assert status is before


@pytest.mark.parametrize("start", OrderStatus)
def test_every_state_leads_to_an_end(start: OrderStatus) -> None:
    reached, frontier = {start}, [start]
    while frontier:
        for to in TRANSITIONS[frontier.pop()]:
            if to not in reached:
                reached.add(to)
                frontier.append(to)
    assert reached & ENDED
