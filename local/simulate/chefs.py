"""Chefs: they look at their orders now and then, cook a few at once, are late, forget things."""

import asyncio
from typing import Any

from local.people import Person, Unanswered
from local.simulate.scenario import MINUTE, chance
from local.simulate.settlers import SettledKitchen
from local.simulate.tonight import Tonight

_LOOKS_EVERY = 30.0
_REFUSES = 0.015
# How cooking times scatter around what a chef usually needs (sigma of the logarithm).
_SCATTER = 0.18
_MOST = 100


class Cook:
    """One chef in one kitchen."""

    def __init__(self, tonight: Tonight, phone: Person, kitchen: SettledKitchen) -> None:
        self.name = f"chef {kitchen.plan.number + 1}"
        self._phone = phone
        self._clock = tonight.clock
        self._diary = tonight.diary
        self._seed = tonight.seed
        self._kitchen = kitchen
        self._stove = asyncio.Semaphore(kitchen.plan.at_once)
        self._seen: set[str] = set()

    async def work(self) -> None:
        """Take orders on all evening."""
        dice = chance(self._seed, "chef", self._kitchen.plan.number)
        await self._clock.sleep(dice.uniform(0, _LOOKS_EVERY))
        async with asyncio.TaskGroup() as pots:
            while True:
                page = await self._phone.get(
                    "/chef/orders", status="payment_confirmed", limit=_MOST
                )
                for order in page["data"]:
                    if order["id"] not in self._seen:
                        self._seen.add(order["id"])
                        pots.create_task(self._cook(order))
                await self._clock.sleep(_LOOKS_EVERY)

    async def _cook(self, order: dict[str, Any]) -> None:
        plan = self._kitchen.plan
        dice = chance(self._seed, "cooking", self._diary.number(order["id"]))
        minutes = self._minutes(order)
        takes = minutes * MINUTE * plan.slowness * dice.lognormvariate(0, _SCATTER)
        await self._clock.sleep(dice.lognormvariate(3.2, 0.6))
        if dice.random() < _REFUSES:
            await self._say(order, "rejected", reason="we are out of rice")
            return
        says = {"readyInMinutes": minutes + 2} if plan.says_minutes else {}
        if not await self._say(order, "accepted", **says):
            return
        async with self._stove:
            if not await self._say(order, "preparing"):
                return
            await self._clock.sleep(takes)
        if dice.random() < plan.forgets:
            await self._clock.sleep(dice.uniform(3 * MINUTE, 9 * MINUTE))
        await self._say(order, "ready_for_pickup")

    def _minutes(self, order: dict[str, Any]) -> int:
        menu = dict(zip(map(str, self._kitchen.dishes), self._kitchen.plan.dishes, strict=True))
        return max(menu[item["menuItemId"]].minutes for item in order["items"])

    async def _say(self, order: dict[str, Any], status: str, **words: Any) -> bool:
        """Say how far an order is; False when it has ended meanwhile."""
        try:
            await self._phone.put(f"/chef/orders/{order['id']}/status", status=status, **words)
        except Unanswered as refused:
            if refused.code != "illegal_transition":
                raise
            self._diary.overtaken[refused.code] += 1
            return bool(refused.problem["currentStatus"] == status)
        return True
