"""Whatever is asked in whatever order, the workflow and the pure table agree on every step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain import order_status
from domain.order_status import Actor, OrderStatus
from local.people import until
from schema.messages.dispatch import Delivery, DriverCommand, OperatorAssign
from schema.messages.money import PaymentSucceeded
from schema.messages.order import OperatorCancel, ReadyIn
from schema.tables import Driver
from tests.workflows.room import Room, Run, by_driver
from workflows.order import OrderWorkflow

S, A, W = OrderStatus, Actor, OrderWorkflow


class Wish(NamedTuple):
    """A request: by whom, to which state, and how it is sent."""

    name: str
    by: Actor
    to: OrderStatus
    update: Any
    request: Callable[[Run], Any]
    only_from: OrderStatus | None = None


def driver_says(run: Run) -> DriverCommand:
    driver = run.room.world.drivers[0]
    return DriverCommand(by=by_driver(driver), driver_id=driver.id)


def assignment(run: Run) -> OperatorAssign:
    return OperatorAssign(by=run.admin, driver_id=run.room.world.drivers[0].id)


PAYMENT = "payment"
WISHES = [
    Wish("accept", A.CHEF, S.ACCEPTED, W.accept, lambda r: ReadyIn(by=r.chef)),
    Wish(
        "reject",
        A.CHEF,
        S.CANCELLED,
        W.reject,
        lambda r: r.command(r.chef),
        only_from=S.PAYMENT_CONFIRMED,
    ),
    Wish("start", A.CHEF, S.PREPARING, W.start, lambda r: ReadyIn(by=r.chef)),
    Wish("ready", A.CHEF, S.READY_FOR_PICKUP, W.ready, lambda r: r.command(r.chef)),
    Wish("assign", A.ADMIN, S.ASSIGNED_TO_DRIVER, W.operator_assign, assignment),
    Wish("drop out", A.DRIVER, S.READY_FOR_PICKUP, W.drop_out, driver_says),
    Wish("pick up", A.DRIVER, S.PICKED_UP, W.pick_up, driver_says),
    Wish("in transit", A.DRIVER, S.IN_TRANSIT, W.in_transit, driver_says),
    Wish(
        "deliver",
        A.DRIVER,
        S.DELIVERED,
        W.deliver,
        lambda r: Delivery(**driver_says(r).model_dump()),
    ),
    Wish("customer cancels", A.CUSTOMER, S.CANCELLED, W.cancel, lambda r: r.command(r.customer)),
    Wish("chef cancels", A.CHEF, S.CANCELLED, W.cancel, lambda r: r.command(r.chef)),
    Wish(
        "operator cancels",
        A.ADMIN,
        S.CANCELLED,
        W.operator_cancel,
        lambda r: OperatorCancel(by=r.admin),
    ),
]

ON_THE_WAY_TO_DELIVERY = [PAYMENT, *WISHES[:1], *WISHES[2:5], *WISHES[6:9]]

# Left to chance alone, hardly any order would get far: half of the time the next sensible wish.
wishes = st.lists(
    st.one_of(st.sampled_from([PAYMENT, *WISHES]), st.just(None)), min_size=4, max_size=16
)


def is_legal(wish: Wish, status: OrderStatus) -> bool:
    """What the pure table says."""
    return wish.to in order_status.allowed(status, wish.by) and wish.only_from in {None, status}


@pytest.mark.parametrize("room", [1000], indirect=True, ids=["cached"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wishes)
async def test_the_table_and_the_workflow_leave_the_same_trace(
    room: Room, wanted: list[Wish | str | None]
) -> None:
    async with room.database.write() as session:
        # Assigned by hand only: offers would come and go in between.
        await session.execute(update(Driver).values(is_available=False))
    run = await room.begin()
    trace, is_early = [S.PENDING], False
    for number, chosen in enumerate(wanted):
        wish = chosen or _next_sensible(trace[-1])
        if isinstance(wish, str):
            await _pay(run, trace)
        elif await _ask(run, wish, number) != is_legal(wish, trace[-1]):
            raise AssertionError(f"{wish.name} when {trace[-1]}: the workflow and the table differ")
        elif is_legal(wish, trace[-1]):
            trace.append(wish.to)
        # A driver chosen while the food is cooking has the order as soon as it is ready.
        if isinstance(wish, Wish) and trace[-1] is S.PREPARING:
            is_early = {"assign": True, "drop out": False}.get(wish.name, is_early)
        elif is_early and trace[-1] is S.READY_FOR_PICKUP:
            trace.append(S.ASSIGNED_TO_DRIVER)
            is_early = False

    assert await run.trace() == trace


def _next_sensible(status: OrderStatus) -> Wish | str:
    legal = (w for w in ON_THE_WAY_TO_DELIVERY if isinstance(w, Wish) and is_legal(w, status))
    return next(legal, PAYMENT)


async def _ask(run: Run, wish: Wish, number: int) -> bool:
    """Whether the wish came true."""
    try:
        view = await run.ask(wish.update, wish.request(run), f"{number}")
    except WorkflowUpdateFailedError:
        return False
    except RPCError as error:
        return _nobody_there(error)
    return view.status is wish.to


async def _pay(run: Run, trace: list[OrderStatus]) -> None:
    fact = PaymentSucceeded(payment_intent_id=run.intent_id, amount_cents=2660, captured=True)
    try:
        await run.handle.signal(OrderWorkflow.payment_succeeded, fact)
    except RPCError as error:
        _nobody_there(error)
    if trace[-1] is S.PENDING:
        trace.append(S.PAYMENT_CONFIRMED)

        async def has_heard() -> bool:
            return (await run.row()).paid_at is not None

        await until(has_heard)


def _nobody_there(error: RPCError) -> bool:
    """Whoever asks an order that has ended gets no for an answer; other errors are errors."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        raise error
    return False
