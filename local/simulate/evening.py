"""An evening in the city: everybody does what he does, until the last order is over."""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from local import meters
from local.people import Wallet
from local.simulate import evidence as evidences
from local.simulate.chefs import Cook
from local.simulate.clock import CityClock
from local.simulate.customers import Customer
from local.simulate.dashboard import Dashboard
from local.simulate.demand import City
from local.simulate.diary import Diary, Sample
from local.simulate.drivers import Rider
from local.simulate.evidence import Evidence
from local.simulate.geography import Track
from local.simulate.glance import glance
from local.simulate.mishaps import Reaper
from local.simulate.referee import AFTERWARDS, Rules, Violation, judge
from local.simulate.scenario import HOUR, MINUTE, Kill, Scenario
from local.simulate.settlers import Settled, settle
from local.simulate.telephones import Exchange
from local.simulate.tonight import Tonight
from local.stack import Stack
from schema.database import Database
from schema.tables import Role
from settings import Settings

# How long after the last order was placed the last one must be over.
_DRAIN = 3 * HOUR
# In seconds of ours: how often one looks, and how long refunds and webhooks may take at the end.
_SHOWS_EVERY = 1.0
_JUDGES_EVERY = 20.0
_MONEY_SETTLES_WITHIN = 60.0
_LOOKS_AGAIN = 2.0

NO_SURPRISE = "nobody met with a surprise"
POSITIONS_BACK = "positions come back by themselves"


@dataclass(frozen=True)
class Outcome:
    """What has become of an evening; `processor` are seconds of a core, by server."""

    scenario: Scenario
    evidence: Evidence
    violations: Sequence[Violation]
    diary: Diary
    clock: CityClock
    exchange: Exchange
    ended_at: float
    processor: Mapping[str, float]
    tracks: Mapping[str, Track]
    interrupted: bool


class Evening:
    """One evening of one city, at the servers of `stack`."""

    def __init__(self, stack: Stack, scenario: Scenario) -> None:
        self._stack = stack
        self._scenario = scenario
        self._environment = stack.environment()
        self._city = City(scenario)
        self._clock = CityClock(scenario.speed)
        self._diary = Diary()
        self._exchange = Exchange(self._environment)
        self._wallet = Wallet("pk_test_city", self._environment["STRIPE_API_BASE"])
        self._cooks: list[Cook] = []
        self._riders: dict[str, Rider] = {}
        self._violations: list[Violation] = []
        self._capacity = Settings.of(self._environment).driver_capacity

    async def play(self, dashboard: Dashboard) -> Outcome:
        """Let it happen; Ctrl-C ends it early."""
        stop = asyncio.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        database = Database(self._environment["DATABASE_URL"], pool_size=2)
        settled = await settle(database, self._city)
        tonight = Tonight(self._scenario, self._clock, self._diary, self._capacity)
        await self._open(tonight, settled)
        spent = self._spent()
        self._clock.begin()
        background = [
            asyncio.create_task(self._noting(who, work))
            for who, work in (
                *((name, rider.work()) for name, rider in self._riders.items()),
                *((cook.name, cook.work()) for cook in self._cooks),
                *(
                    (f"the reaper of {kill.name}", self._kill(kill))
                    for kill in self._scenario.kills
                ),
                ("the counter", self._count()),
                ("the referee", self._watch()),
                ("the dashboard", self._show(dashboard, database)),
            )
        ]
        orders = asyncio.create_task(self._orders_come(tonight, settled))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({orders, stopped}, return_when=asyncio.FIRST_COMPLETED)
        ended_at, spent_since = self._clock.now, self._spent()
        evidence = await self._settled(interrupted=stop.is_set())
        await _end([*background, orders, stopped])
        await self._wallet.close()
        await self._exchange.close()
        await database.close()
        return Outcome(
            self._scenario,
            evidence,
            self._violations,
            self._diary,
            self._clock,
            self._exchange,
            ended_at,
            {
                name: seconds - spent.get((name, pid), 0.0)
                for (name, pid), seconds in spent_since.items()
            },
            {name: rider.track for name, rider in self._riders.items()},
            stop.is_set(),
        )

    def _spent(self) -> dict[tuple[str, int], float]:
        """What each process has spent so far: one that was started again begins anew."""
        running = [server for server in self._stack.running() if server.is_alive]
        pids = {server.name: server.pid for server in running}
        spent = meters.processor_seconds(running, own="people")
        return {(name, pids.get(name, 0)): seconds for name, seconds in spent.items()}

    async def _open(self, tonight: Tonight, settled: Settled) -> None:
        """Kitchens open, drivers go on duty."""
        call = self._exchange.phone
        self._cooks = [
            Cook(tonight, call(kitchen.chef, Role.CHEF), kitchen) for kitchen in settled.kitchens
        ]
        for driver in settled.drivers:
            phone = call(driver.login, Role.DRIVER)
            beacon = call(driver.login, Role.DRIVER, patient=False)
            name = f"driver {driver.plan.number + 1}"
            self._riders[name] = Rider(tonight, phone, beacon, driver)
        for rider in self._riders.values():
            await rider.report()

    async def _orders_come(self, tonight: Tonight, settled: Settled) -> None:
        """All orders are placed in their time; returns when all are over, or should have been."""
        customers: list[asyncio.Task[None]] = []
        for arrival in self._city.arrivals:
            await self._clock.until(arrival.at)
            login = settled.customers[arrival.number % len(settled.customers)]
            phone = self._exchange.phone(login, Role.CUSTOMER)
            customer = Customer(tonight, phone, self._wallet, arrival)
            ordering = customer.order(
                settled.kitchens[arrival.kitchen], f"order-{self._scenario.seed}-{arrival.number}"
            )
            name = f"customer of order {arrival.number}"
            customers.append(asyncio.create_task(self._noting(name, ordering)))
        if customers:
            _, waiting = await asyncio.wait(customers, timeout=_DRAIN / self._scenario.speed)
            await _end(waiting)

    async def _noting(self, who: str, work: Awaitable[None]) -> None:
        """Whatever somebody did not expect is a finding, and ends his evening, not the others'."""
        try:
            await work
        except Exception as error:  # noqa: BLE001
            self._diary.surprises.extend(f"{who}: {words}" for words in _words(error))

    async def _kill(self, kill: Kill) -> None:
        def telling() -> int:
            return sum(rider.doing in {"idle", "busy"} for rider in self._riders.values())

        struck = await Reaper(self._stack, self._clock, telling).strike(kill)
        self._diary.kills.append(struck)

    async def _count(self) -> None:
        while True:
            doing = Counter(rider.doing for rider in self._riders.values())
            self._diary.samples.append(Sample(self._clock.now, doing))
            await self._clock.sleep(MINUTE / 2)

    async def _watch(self) -> None:
        """Judge as it goes on."""
        while True:
            await asyncio.sleep(_JUDGES_EVERY)
            await self._judge(at_stripe=False, over=False)

    async def _show(self, dashboard: Dashboard, database: Database) -> None:
        while True:
            seen = await glance(
                database, self._clock, self._diary, self._exchange, self._violations
            )
            dashboard.show(seen)
            await asyncio.sleep(_SHOWS_EVERY)

    async def _settled(self, *, interrupted: bool) -> Evidence:
        """The evidence once the money of all orders is where it belongs, or should have been."""
        gives_up = asyncio.get_running_loop().time() + _MONEY_SETTLES_WITHIN
        while True:
            evidence = await self._judge(at_stripe=True, over=not interrupted)
            waits = any(violation.rule in AFTERWARDS for violation in self._violations)
            if not waits or asyncio.get_running_loop().time() > gives_up:
                return evidence
            await asyncio.sleep(_LOOKS_AGAIN)

    async def _judge(self, *, at_stripe: bool, over: bool) -> Evidence:
        # Before one looks: what is placed meanwhile may not be in the evidence.
        rules = Rules(self._capacity, set(self._diary.tickets))
        evidence = await asyncio.to_thread(evidences.look, self._environment, at_stripe=at_stripe)
        self._violations = [*judge(evidence, rules, over=over), *self._found()]
        return evidence

    def _found(self) -> list[Violation]:
        """What people have met with that must not be."""
        broken = {
            status: number
            for status, number in self._exchange.answers.items()
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR
            and status != HTTPStatus.SERVICE_UNAVAILABLE
        }
        surprises = [
            *self._diary.surprises,
            *(f"{number} answers were {status}" for status, number in broken.items()),
        ]
        dark = [kill for kill in self._diary.kills if kill.get("positionsBackAfter", 0) is None]
        return [
            *(Violation(NO_SURPRISE, words) for words in surprises),
            *(Violation(POSITIONS_BACK, f"not after {kill}") for kill in dark),
        ]


async def _end(tasks: Collection[asyncio.Task[None]] | Collection[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _words(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [words for one in error.exceptions for words in _words(one)]
    return [f"{type(error).__name__}: {error}"]
