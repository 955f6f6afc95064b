"""The servers that all tests share: real ones, on ports of their own, in a folder of their own."""

import gc
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stripe
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

import schema.database
from local.cast import Cast, cast
from local.stack import Stack
from schema.database import Database
from settings import Settings
from tests.databases import new_database
from tests.local.stripe.stripe_harness import Api, Stage
from tests.stacks import apart

# They keep all processors busy, or kill what they have started: two at a time starve each other.
WHOLE_MACHINE = frozenset(
    {
        "tests/journeys/test_any_order.py",
        "tests/journeys/test_bad_weather.py",
        "tests/journeys/test_kill.py",
        "tests/journeys/test_many_drivers.py",
        "tests/journeys/test_payout_kill.py",
        "tests/local/simulate/test_evening.py",
    }
)
# Beyond the one that the running facade uses.
TEST_REDIS_DATABASE = 9


@pytest.fixture(scope="module", autouse=True)
def little_to_look_through() -> None:
    """What earlier modules have left alive is not looked through for garbage again.

    A collection that happens to fall into a workflow's task counts as the workflow's time, of which
    Temporal's deadlock detector gives it two seconds; late in a long session it took longer.
    """
    gc.collect()
    gc.freeze()


class Scheduling(LoadFileScheduling):
    """Each file is one process's, and WHOLE_MACHINE one process's together."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the whole machine" if file in WHOLE_MACHINE else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Who tries what, where there are several processes."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    items.sort(key=lambda item: item.nodeid.partition("::")[0] not in WHOLE_MACHINE)


@pytest.fixture(scope="session", autouse=True)
def swift_stripe() -> Iterator[None]:
    """Stripe's SDK waits a moment before it asks again, by a clock that no test can skip."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.05)
        patched.setattr(stripe.HTTPClient, "MAX_DELAY", 0.2)
        yield


@pytest.fixture(scope="session", autouse=True)
def beginnings() -> Iterator[None]:
    """What a process does when it begins is done once for some thousand that tests play here: it
    reads whom browsers trust, compiles its statements, and tries to import its workflows.
    """
    prepare = SandboxedWorkflowRunner.prepare_workflow
    prepared = set[type]()

    def prepare_once(runner: SandboxedWorkflowRunner, workflow: Any) -> None:
        if workflow.cls not in prepared:
            prepare(runner, workflow)
            prepared.add(workflow.cls)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        patched.setattr(schema.database, "create_async_engine", cache(create_async_engine))
        patched.setattr(SandboxedWorkflowRunner, "prepare_workflow", prepare_once)
        yield


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything, as `make up` starts it."""
    home = tmp_path_factory.mktemp("stack")
    # Orders that tests leave behind wait for a driver for half an hour; whatever happens to others
    # makes their zones look by itself. All tests come from one address.
    running = apart(home, DISPATCH_TICK_SECONDS="60", ATTEMPTS_FREE_TO_CLIENT="100000")
    running.up()
    yield running
    running.reset()


@pytest.fixture(scope="session")
def environment(stack: Stack) -> Mapping[str, str]:
    """The variables of the running stack."""
    return stack.environment()


@pytest.fixture(scope="session")
async def database_url(environment: Mapping[str, str]) -> str:
    """A migrated database beside the running facade's. Tests share it, each in its own world."""
    return await new_database(environment["DATABASE_URL"], "ridendine_tests")


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """Sessions on the tests' database."""
    opened = Database(database_url, pool_size=5)
    yield opened
    await opened.close()


@pytest.fixture
def redis_url(environment: Mapping[str, str]) -> str:
    """A Redis database that no running process uses."""
    return environment["REDIS_URL"].rsplit("/", 1)[0] + f"/{TEST_REDIS_DATABASE}"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A Redis with nothing in it."""
    client: Redis = Redis.from_url(redis_url, decode_responses=True)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
def settings(environment: Mapping[str, str], database_url: str, redis_url: str) -> Settings:
    """Settings for a process of this test's own: its database, the shared stand-ins."""
    own = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    return Settings.of({**environment, **own})


@pytest.fixture
async def play(environment: Mapping[str, str]) -> AsyncIterator[Cast]:
    """Everybody, at the facade as `make up` starts it."""
    async with cast(environment) as everybody:
        yield everybody
        await everybody.stripe_control("DELETE", "faults")
        await everybody.stripe_control("DELETE", "webhooks")


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A server for Stripes that come and go."""
    opened = Stage()
    yield opened
    opened.close()


@pytest.fixture
def fresh(stage: Stage, tmp_path: Path) -> Iterator[Api]:
    """A Stripe that nobody else uses and that remembers nothing yet."""
    with stage.play(tmp_path / "stripe.sqlite") as playing:
        yield playing
