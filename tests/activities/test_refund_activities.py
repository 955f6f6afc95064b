"""Requests for refunds at the database and at Stripe, and what is lost in between."""

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
import stripe
from sqlalchemy import func, select
from sqlmodel import col
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from activities.refunds import RefundActivities
from domain.ledger import Account, Bearer
from domain.order_status import Actor, OrderStatus
from domain.refunds import RefundKind, RequestStatus, Rules
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.messages.order import Changes, Transition, Who
from schema.messages.refund import (
    Begin,
    DecideAt,
    Decision,
    GiveBack,
    ItemAsked,
    RefundAsk,
    RefundTerms,
    RefundView,
)
from schema.queries import orders
from schema.tables import OrderItem, Refund, RefundRequest
from schema.tables.columns import now
from settings import Settings
from tests.activities.test_payment_activities import Till
from tests.books import booked_events, books

R, S = RequestStatus, OrderStatus

_WAY = (S.PENDING, S.PAYMENT_CONFIRMED, S.IN_TRANSIT, S.DELIVERED)


class Counter:
    """A delivered order that was paid for, and whoever wants money back."""

    def __init__(self, till: Till, world: World, database: Database) -> None:
        self.till, self.world, self.database = till, world, database
        self.activities = RefundActivities(database, till.stripe)

    async def begin(self, kind: RefundKind = RefundKind.ADMIN, **more: Any) -> RefundView:
        by = self.world.admin if kind is RefundKind.ADMIN else self.world.customer
        ask = RefundAsk(
            id=more.pop("id", None) or uuid7(),
            order_id=self.till.order.id,
            kind=kind,
            asked_by=by.user_id,
            bearer=more.pop("bearer", Bearer.CHEF),
            reason="quality",
            **{name: value for name, value in more.items() if name != "terms"},
        )
        terms = more.get("terms", RefundTerms())
        return await self.activities.begin_refund(Begin(ask=ask, terms=terms, at=now()))

    async def give_back(self, request: RefundView, refused_before: int = 0) -> RefundView:
        back = GiveBack(request_id=request.id, refused_before=refused_before)
        return await self.activities.give_back(back)

    async def decide(self, request: RefundView, **more: Any) -> RefundView:
        decision = Decision(
            request_id=request.id, by=self.world.admin.user_id, grant=True, reason="yes", **more
        )
        return await self.activities.decide_refund(DecideAt(decision=decision, at=now()))

    async def held(self) -> int:
        """What requests hold on to, in cents."""
        async with self.database.read() as session:
            found = await session.scalar(
                select(
                    func.sum(func.coalesce(RefundRequest.granted_cents, RefundRequest.amount_cents))
                ).where(
                    col(RefundRequest.order_id) == self.till.order.id,
                    col(RefundRequest.status).in_([R.ASKED, R.GRANTED, R.REFUNDED]),
                )
            )
            return found or 0

    async def item(self, quantity: int) -> tuple[ItemAsked, ...]:
        async with self.database.read() as session:
            found = await session.scalar(
                select(col(OrderItem.id)).where(col(OrderItem.order_id) == self.till.order.id)
            )
        assert found is not None
        return (ItemAsked(order_item_id=found, quantity=quantity),)

    async def given_back(self) -> list[int]:
        ref = self.till.ref(await self.till.open())
        return [refund.amount for refund in await self.till.refunds(ref)]


@pytest.fixture
async def counter(database: Database, settings: Settings) -> AsyncIterator[Counter]:
    world = await worlds.settle(database, drivers=1)
    async with database.write() as session:
        order = await orders.begin(session, world.placing())
    till = Till(order, database, settings)
    await till.settle(await till.paid(), None)
    driver = Changes(driver_id=world.drivers[0].id)
    async with database.write() as session:
        for sequence, (was, to) in enumerate(pairwise(_WAY), start=2):
            step = Transition(
                order_id=order.id,
                sequence=sequence,
                was=was,
                to=to,
                by=Who(role=Actor.STRIPE),
                at=now(),
                changes=driver,
            )
            await orders.record(session, step)
    yield Counter(till, world, database)
    async with httpx.AsyncClient(base_url=till.url) as http:
        await http.delete("/_control/faults")
    await till.wallet.close()
    await till.stripe.aclose()


async def test_requests_at_once_hold_on_to_no_more_than_was_paid(counter: Counter) -> None:
    dice = random.Random(42)
    wanted = [dice.randint(100, 900) for _ in range(12)]
    kinds = [RefundKind.ADMIN, RefundKind.COMPLAINT]

    async def one(cents: int, kind: RefundKind) -> int:
        return (await counter.begin(kind, amount_cents=cents)).amount_cents

    answers = await asyncio.gather(
        *(one(c, dice.choice(kinds)) for c in wanted), return_exceptions=True
    )
    made = [cents for cents in answers if isinstance(cents, int)]
    refused = [error for error in answers if isinstance(error, ApplicationError)]
    assert len(made) + len(refused) == len(wanted)
    assert {error.type for error in refused} == {"above_what_is_left"}

    assert sum(made) == await counter.held() <= 2660
    # Whatever was refused did not fit any more.
    left = 2660 - sum(made)
    assert all(cents in made for cents in wanted if cents <= left)


async def test_the_same_request_is_written_once(counter: Counter) -> None:
    request = uuid7()

    views = [await counter.begin(id=request, amount_cents=500) for _ in range(3)]

    assert views[0] == views[1] == views[2]
    assert await counter.held() == 500


async def test_dishes_are_asked_back_once(counter: Counter) -> None:
    first = await counter.begin(items=await counter.item(1))
    second = await counter.begin(items=await counter.item(1))
    with pytest.raises(ApplicationError) as refused:
        await counter.begin(items=await counter.item(1))

    assert (first.granted_cents, second.granted_cents) == (1080, 1080)
    assert refused.value.type == "above_what_is_left"


async def test_a_third_small_complaint_in_a_month_waits_for_a_person(counter: Counter) -> None:
    terms = RefundTerms(rules=Rules(small_cents=500, automatic_refunds=2))

    asked = [
        await counter.begin(RefundKind.COMPLAINT, amount_cents=cents, terms=terms)
        for cents in (501, 500, 100, 100)
    ]

    assert [request.status for request in asked] == [R.ASKED, R.GRANTED, R.GRANTED, R.ASKED]


async def test_a_decision_grants_no_more_than_is_left(counter: Counter) -> None:
    complaint = await counter.begin(RefundKind.COMPLAINT, amount_cents=2000)
    await counter.begin(amount_cents=600)

    with pytest.raises(ApplicationError) as refused:
        await counter.decide(complaint, amount_cents=2061)
    granted = await counter.decide(complaint, amount_cents=2060)

    assert refused.value.type == "above_what_is_left"
    assert (granted.status, granted.granted_cents) == (R.GRANTED, 2060)
    assert await counter.held() == 2660


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "server_error", "rate_limit"])
async def test_a_refund_is_made_once_though_its_answer_was_lost(
    counter: Counter, kind: str
) -> None:
    request = await counter.begin(amount_cents=500)
    await counter.till.fault("POST /v1/refunds", kind)
    with pytest.raises(stripe.StripeError):
        await counter.give_back(request)

    # Another key does not make another refund: it is looked for by what it says it is of.
    made = await counter.give_back(request, refused_before=7)

    assert made.status is R.REFUNDED
    await counter.give_back(request)
    assert await counter.given_back() == [500]
    assert (await booked_events(counter.database, counter.till.order.id)).count("refund") == 1


async def test_whoever_hears_of_a_refund_first_books_it_to_him_who_bears_it(
    counter: Counter,
) -> None:
    request = await counter.begin(items=await counter.item(1), bearer=Bearer.CHEF)
    await counter.till.fault("POST /v1/refunds", "drop_after")
    with pytest.raises(stripe.APIConnectionError):
        await counter.give_back(request)

    # The webhook's way: the order looks at its payment.
    await counter.till.settle(counter.till.ref(await counter.till.open()), None)

    booked = await books(counter.database, counter.till.order.id)
    chef = f"chef:{counter.world.chef.id}"
    assert (booked[chef], booked[Account.TAX_PAYABLE]) == (1000 - 1601, 80 - 160)
    assert (await counter.give_back(request)).status is R.REFUNDED
    assert await books(counter.database, counter.till.order.id) == booked
    async with counter.database.read() as session:
        found = await session.scalars(
            select(col(Refund.refund_request_id)).where(
                col(Refund.order_id) == counter.till.order.id
            )
        )
        assert list(found) == [request.id]


async def test_what_was_given_back_past_us_makes_a_request_fail_for_good(
    counter: Counter,
) -> None:
    request = await counter.begin(amount_cents=2000)
    ref = counter.till.ref(await counter.till.open())
    await counter.till.stripe.refund(ref.payment_intent_id, 2660, reason="by hand", key="by hand 2")

    assert (await counter.give_back(request)).status is R.FAILED
    assert await counter.given_back() == [2660]


async def test_a_refund_that_names_a_request_that_is_none_is_the_platforms(
    counter: Counter,
) -> None:
    ref = counter.till.ref(await counter.till.open())
    await counter.till.stripe.refund(
        ref.payment_intent_id, 500, reason="by hand", key=f"hand-{uuid7()}", request_id=uuid7()
    )

    await counter.till.settle(ref, None)

    booked = await books(counter.database, counter.till.order.id)
    assert booked[Account.REFUND_LOSSES] == 470
