"""A counting house for each test, and finance asking about it as it would in a shell."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NamedTuple

import pytest

from finance.__main__ import main
from settings import Settings
from tests.finance.audited import orders_of
from tests.local.stripe.stripe_harness import Api
from tests.workflows.counting_house import CountingHouse, counting_house


class Answer(NamedTuple):
    """What a command says, and its exit status."""

    status: int
    words: str
    trouble: str


Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def house(settings: Settings, fresh: Api) -> AsyncIterator[CountingHouse]:
    """A counting house with a chef and a driver."""
    async with counting_house(settings, fresh) as opened:
        opened.fund(100_000)
        yield opened


@pytest.fixture
async def orders(house: CountingHouse) -> list[str]:
    """The numbers of two delivered orders, of which chef and driver are owed their parts."""
    return await orders_of(house, 2)


@pytest.fixture
def ask_about(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[CountingHouse], Ask]:
    """Run commands of finance against a counting house."""

    async def run(*arguments: object) -> Answer:
        capsys.readouterr()
        # It has an event loop of its own.
        status = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    def point_at(house: CountingHouse) -> Ask:
        told = {
            **environment,
            "DATABASE_URL": house.database.engine.url.render_as_string(hide_password=False),
            "STRIPE_API_BASE": house.stripe.url,
            "TEMPORAL_ADDRESS": house.room.client.service_client.config.target_host,
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        return run

    return point_at


@pytest.fixture
def ask(house: CountingHouse, ask_about: Callable[[CountingHouse], Ask]) -> Ask:
    """Run commands of finance against this test's counting house."""
    return ask_about(house)
