"""Customers: they order, pay (some at the second try, some never), look where it is, and wait."""

from contextlib import suppress
from datetime import datetime
from typing import Any

import stripe

from domain.order_status import ENDED, ON_THE_WAY
from local.people import Person, Unanswered, Wallet
from local.simulate.demand import Arrival, Story
from local.simulate.diary import Ticket
from local.simulate.scenario import MINUTE
from local.simulate.settlers import SettledKitchen
from local.simulate.tonight import Tonight

# How often an app that is open asks where the order is.
_LOOKS_EVERY = 4 * MINUTE
_FETCHES_ANOTHER_CARD = 30.0


class Customer:
    """One customer with one order."""

    def __init__(self, tonight: Tonight, phone: Person, wallet: Wallet, arrival: Arrival) -> None:
        self._phone = phone
        self._wallet = wallet
        self._clock = tonight.clock
        self._diary = tonight.diary
        self._arrival = arrival
        self._misremembers = arrival.misremembers

    async def order(self, kitchen: SettledKitchen, key: str) -> None:
        """Order, and stay until it is over."""
        try:
            placed = await self._phone.post("/orders", key=key, **self._basket(kitchen))
        except Unanswered as refused:
            self._diary.turned_away[refused.code] += 1
            return
        ticket = Ticket(placed["id"], self._arrival, lambda: self._code(placed["id"]))
        self._diary.tickets[ticket.order_id] = ticket
        await self._clock.sleep(self._arrival.pays_after)
        await self._pay(placed["clientSecret"])
        order = await self._look(ticket)
        ticket.promised_at_placing = datetime.fromisoformat(order["estimatedDeliveryAt"])
        if self._arrival.story is Story.CHANGES_HIS_MIND:
            await self._clock.sleep(self._arrival.regrets_after)
            await self._cancel(ticket)
        while (await self._look(ticket))["status"] not in ENDED:
            await self._clock.sleep(_LOOKS_EVERY)

    def _basket(self, kitchen: SettledKitchen) -> dict[str, Any]:
        arrival = self._arrival
        return {
            "chefId": str(kitchen.chef.id),
            "items": [
                {"menuItemId": str(kitchen.dishes[dish]), "quantity": quantity}
                for dish, quantity in arrival.dishes
            ],
            "deliveryAddress": {
                "line1": f"{arrival.number + 1} Simulated Street",
                "city": "Austin",
                "state": "TX",
                "postalCode": "78701",
                "latitude": arrival.door.latitude,
                "longitude": arrival.door.longitude,
            },
            "tipCents": arrival.tip_cents,
            "deliveryProof": arrival.proof,
        }

    async def _pay(self, secret: str) -> None:
        try:
            if self._arrival.story in {Story.PAYS_AT_SECOND_TRY, Story.NEVER_PAYS}:
                await self._is_declined(secret)
            if self._arrival.story is not Story.NEVER_PAYS:
                await self._wallet.pay(secret)
        except stripe.InvalidRequestError as refused:
            # Too late: the order was not waiting for its payment any more.
            self._diary.overtaken[refused.code or "payment"] += 1

    async def _is_declined(self, secret: str) -> None:
        with suppress(stripe.CardError):
            await self._wallet.pay(secret, self._arrival.bad_card)
        await self._clock.sleep(_FETCHES_ANOTHER_CARD)

    async def _cancel(self, ticket: Ticket) -> None:
        try:
            await self._phone.put(f"/orders/{ticket.order_id}/cancel", reason="ordered by mistake")
        except Unanswered as refused:
            # The food is ready already: it will be eaten.
            self._diary.overtaken[refused.code] += 1

    async def _look(self, ticket: Ticket) -> dict[str, Any]:
        order: dict[str, Any] = await self._phone.get(f"/orders/{ticket.order_id}")
        if order["status"] in ON_THE_WAY:
            try:
                await self._phone.get(f"/orders/{ticket.order_id}/driver-location")
            except Unanswered as refused:
                # Delivered meanwhile, or the driver's phone is off.
                self._diary.overtaken[refused.code] += 1
        return order

    async def _code(self, order_id: str) -> str:
        """What is told the driver at the door who asks for the code; the app shows it."""
        order: dict[str, Any] = await self._phone.get(f"/orders/{order_id}")
        code = str(order["deliveryCode"])
        if self._misremembers:
            self._misremembers = False
            return code[::-1] if code != code[::-1] else f"{(int(code) + 1) % 10_000:04d}"
        return code
