"""Drivers: they accept, decline or let pass, drive, wait, get flat tyres, and switch phones off."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from random import Random
from typing import Any

import httpx

from domain import drivers
from domain.geo import Point
from domain.order_status import OrderStatus
from domain.proof import ProofKind
from local.people import Person, Unanswered
from local.simulate import geography
from local.simulate.geography import Leg, Track
from local.simulate.scenario import MINUTE, chance
from local.simulate.settlers import SettledDriver
from local.simulate.tonight import Tonight

# By the city's clock, in seconds: how often an app asks for offers, tells where it is (while it
# moves, and while it stands; how far apart the positions of one telling are), and looks whether the
# food is ready.
_ASKS_EVERY = 14.0
_TELLS_EVERY = 30.0
_STANDING_TELLS_EVERY = 60.0
_POSITIONS_EVERY = 10.0
_LOOKS_EVERY = 15.0
# An app that was set off duty for its silence is opened again now and then.
_REPORTS_EVERY = 10 * MINUTE
_REPAIR = 12 * MINUTE
_HAS_FLAT_TYRE = 0.02
# Of the offers that a driver does not accept, how many he lets pass without a word.
_LETS_PASS = 0.25
# How drives scatter around what they usually take (sigma of the logarithm).
_SCATTER = 0.12

# One grey pixel: tables of quantisation and of two codes, the frame, and a scan of a single byte.
_PHOTO = bytes.fromhex(
    f"ffd8 ffdb004300{'01' * 64} ffc0000b080001000101011100"
    f" ffc400140001{'00' * 16} ffc400141001{'00' * 16} ffda0008010100003f003f ffd9"
)


class WrongCode(Exception):
    """A customer has told another code than that of the order."""


@dataclass(eq=False)
class Job:
    """An order that a driver has accepted; those of one offer have the same `run`."""

    order_id: str
    number: int
    run: str
    kitchen: Point
    door: Point
    in_hand: bool = False
    on_the_way: bool = False


class Rider:
    """One driver: he works through what he has accepted, the offer that came first first."""

    def __init__(
        self, tonight: Tonight, phone: Person, beacon: Person, driver: SettledDriver
    ) -> None:
        self._tonight = tonight
        self._clock = tonight.clock
        self._diary = tonight.diary
        self._phone = phone
        # Tells positions; what does not get through is not worth trying again.
        self._beacon = beacon
        self._driver = driver
        self._capacity = drivers.capacity(driver.plan.vehicle, tonight.capacity)
        self.track = Track(driver.plan.home)
        self._jobs: list[Job] = []
        self._has_work = asyncio.Event()
        self._seen: set[str] = set()
        self._repairs = False
        self._told_at = 0.0

    @property
    def doing(self) -> str:
        """What he does now, in a word."""
        if self._silent_until is not None:
            return "silent"
        if self._repairs:
            return "off duty"
        return "busy" if self._jobs else "idle"

    async def report(self) -> None:
        """Say where he is, and go on duty."""
        await self._tell()
        await self._phone.put("/delivery/availability", isAvailable=True)

    async def work(self) -> None:
        """Drive all evening."""
        async with asyncio.TaskGroup() as hands:
            hands.create_task(self._listens())
            hands.create_task(self._drives())
            hands.create_task(self._tells())
            hands.create_task(self._stays_on_duty())

    async def _listens(self) -> None:
        dice = self._chance("listens")
        while True:
            await self._clock.sleep(_ASKS_EVERY * dice.uniform(0.8, 1.2))
            if self.doing in {"idle", "busy"} and len(self._jobs) < self._capacity:
                for offer in await self._phone.get("/delivery/offers"):
                    if offer["id"] not in self._seen:
                        self._seen.add(offer["id"])
                        await self._considers(offer)

    async def _considers(self, offer: dict[str, Any]) -> None:
        orders = offer["orders"]
        dice = self._chance("order", self._diary.number(orders[0]["orderId"]))
        await self._clock.sleep(dice.uniform(2, 10))
        yes, passes = dice.random() < self._driver.plan.accepts, dice.random() < _LETS_PASS
        if self._silent_until is not None or (passes and not yes):
            return
        path = f"/delivery/offers/{offer['id']}"
        try:
            if not yes:
                await self._phone.post(f"{path}/decline", reason="too far for me")
                return
            await self._phone.post(f"{path}/accept")
        except Unanswered as refused:
            self._overtaken(refused)
            return
        for order in orders:
            self._jobs.append(self._job(offer["id"], order))
        self._has_work.set()

    def _job(self, run: str, order: dict[str, Any]) -> Job:
        return Job(
            order["orderId"],
            self._diary.number(order["orderId"]),
            run,
            Point(order["pickupLatitude"], order["pickupLongitude"]),
            Point(order["deliveryLatitude"], order["deliveryLongitude"]),
        )

    async def _drives(self) -> None:
        while True:
            await self._has_work.wait()
            while self._jobs:
                run = self._jobs[0].run
                waiting = [job for job in self._jobs if job.run == run and not job.in_hand]
                if waiting:
                    await self._collects(waiting[0])
                else:
                    await self._brings(next(job for job in self._jobs if job.in_hand))
            self._has_work.clear()

    async def _collects(self, job: Job) -> None:
        """Go to the kitchen, wait, and take along whatever of his is ready there."""
        dice = self._chance("collects", job.number)
        unlucky = dice.random() < _HAS_FLAT_TYRE and not any(one.in_hand for one in self._jobs)
        if unlucky:
            await self._breaks_down(job)
            return
        await self._goes(job.kitchen, dice.lognormvariate(0, _SCATTER))
        await self._clock.sleep(dice.uniform(1, 2.5) * MINUTE)
        since = self._clock.now
        while job in self._jobs and not job.in_hand:
            for one in [one for one in self._jobs if one.kitchen == job.kitchen]:
                if not one.in_hand and await self._is_ready(one):
                    await self._takes(one)
            if job in self._jobs and not job.in_hand:
                await self._clock.sleep(_LOOKS_EVERY)
        self._diary.stood.append(self._clock.now - since)
        await self._clock.sleep(dice.uniform(0.5, 1.5) * MINUTE)

    async def _takes(self, job: Job) -> None:
        answer = await self._says(job, OrderStatus.PICKED_UP)
        if answer is not None:
            job.in_hand = True
            promised = datetime.fromisoformat(answer["estimatedDeliveryAt"])
            self._diary.tickets[job.order_id].promised_at_pickup = promised

    async def _brings(self, job: Job) -> None:
        """Go to the door and hand over."""
        for one in [one for one in self._jobs if one.in_hand and not one.on_the_way]:
            await self._says(one, OrderStatus.IN_TRANSIT)
            one.on_the_way = True
        if job not in self._jobs:
            return
        dice = self._chance("brings", job.number)
        await self._goes(job.door, dice.lognormvariate(0, _SCATTER))
        await self._tell()
        await self._clock.sleep(dice.uniform(1, 4) * MINUTE)
        await self._hands_over(job)

    async def _hands_over(self, job: Job) -> None:
        """Show what the customer has asked for; whose code was wrong is asked again."""
        await self._phone_is_on()
        asked = (await self._phone.get(f"/orders/{job.order_id}"))["deliveryProof"]
        proof = {"note": "handed to the customer"}
        if asked == ProofKind.PHOTO:
            await self._phone.upload(f"/delivery/orders/{job.order_id}/proof", _PHOTO, "image/jpeg")
        while job in self._jobs:
            if asked == ProofKind.CODE:
                proof = {"code": await self._diary.tickets[job.order_id].code()}
            try:
                await self._says(job, OrderStatus.DELIVERED, proof=proof)
            except WrongCode:
                self._diary.wrong_codes += 1
            else:
                self._forgets(job)

    async def _breaks_down(self, job: Job) -> None:
        """Half way a tyre is flat: all orders go back, and he is off duty until it is mended."""
        self._diary.flat_tyres += 1
        halfway = self.track.end
        there = Point(
            (halfway.latitude + job.kitchen.latitude) / 2,
            (halfway.longitude + job.kitchen.longitude) / 2,
        )
        await self._goes(there, 1.0)
        self._repairs = True
        for one in list(self._jobs):
            await self._says(one, OrderStatus.READY_FOR_PICKUP, reason="flat tyre")
            self._forgets(one)
        await self._phone_is_on()
        await self._phone.put("/delivery/availability", isAvailable=False)
        await self._clock.sleep(_REPAIR)
        self._repairs = False
        await self._phone_is_on()
        await self.report()

    async def _goes(self, destination: Point, slower: float) -> None:
        now, origin = self._clock.now, self.track.end
        takes = geography.seconds(origin, destination, self._driver.plan.kmh) * slower
        self.track.drive(Leg(now, now + takes, origin, destination))
        await self._clock.until(now + takes)

    async def _is_ready(self, job: Job) -> bool:
        """Whether the food can be taken; an order that is not his any more is forgotten."""
        await self._phone_is_on()
        try:
            order = await self._phone.get(f"/orders/{job.order_id}")
        except Unanswered as refused:
            self._overtaken(refused, job)
            return False
        if order["driverId"] != str(self._driver.login.id) or order["cancelledAt"] is not None:
            self._forgets(job)
            return False
        return bool(order["status"] == OrderStatus.ASSIGNED_TO_DRIVER)

    async def _says(self, job: Job, status: OrderStatus, **words: object) -> dict[str, Any] | None:
        """Say how far an order is; nothing, and the order forgotten, when it is his no more.

        Raises WrongCode when what the customer told was not the order's code.
        """
        await self._phone_is_on()
        try:
            answer: dict[str, Any] = await self._phone.put(
                f"/delivery/orders/{job.order_id}", status=status, **words
            )
        except Unanswered as refused:
            if refused.problem.get("currentStatus") == status:
                # Said before, by a request whose answer got lost.
                said: dict[str, Any] = await self._phone.get(f"/orders/{job.order_id}")
                return said
            if refused.code == "wrong_code":
                raise WrongCode from refused
            self._overtaken(refused, job)
            return None
        return answer

    def _overtaken(self, refused: Unanswered, job: Job | None = None) -> None:
        """Things have changed meanwhile. Raises what cannot come of that."""
        if refused.status not in {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}:
            raise refused
        self._diary.overtaken[refused.code] += 1
        self._forgets(job)

    def _forgets(self, job: Job | None) -> None:
        if job in self._jobs:
            self._jobs.remove(job)

    async def _tells(self) -> None:
        await self._clock.sleep(self._chance("tells").uniform(0, _TELLS_EVERY))
        while True:
            if self.doing in {"idle", "busy"}:
                await self._tell()
            await self._clock.sleep(_TELLS_EVERY if self._moves else _STANDING_TELLS_EVERY)

    @property
    def _moves(self) -> bool:
        return bool(self.track.legs) and self.track.legs[-1].ends > self._clock.now

    async def _tell(self) -> None:
        """Post the positions since the last time."""
        now = self._clock.now
        since = max(self._told_at, now - _TELLS_EVERY)
        self._told_at = now
        moments = [now]
        moved = self.track.at(since) != self.track.at(now)
        while moved and moments[0] - _POSITIONS_EVERY > since:
            moments.insert(0, moments[0] - _POSITIONS_EVERY)
        positions = [self._position(moment) for moment in moments]
        try:
            await self._beacon.post("/delivery/location", positions=positions)
        except Unanswered as refused:
            self._diary.unheard[refused.code] += 1
        except httpx.TransportError as broken:
            self._diary.unheard[type(broken).__name__] += 1

    def _position(self, moment: float) -> dict[str, Any]:
        here = self.track.at(moment)
        return {
            "latitude": here.latitude,
            "longitude": here.longitude,
            "accuracy": 8,
            "heading": geography.heading(here, self.track.end),
            "recordedAt": self._clock.moment(moment).isoformat(),
        }

    async def _stays_on_duty(self) -> None:
        for _, back in [*self._driver.plan.silences, (0.0, float("inf"))]:
            while self._clock.now < back:
                await self._clock.until(min(back, self._clock.now + _REPORTS_EVERY))
                if self.doing == "idle":
                    await self.report()

    @property
    def _silent_until(self) -> float | None:
        now = self._clock.now
        silences = self._driver.plan.silences
        return next((back for since, back in silences if since <= now < back), None)

    async def _phone_is_on(self) -> None:
        while (back := self._silent_until) is not None:
            await self._clock.until(back)

    def _chance(self, *about: object) -> Random:
        return chance(self._tonight.seed, "driver", self._driver.plan.number, *about)
