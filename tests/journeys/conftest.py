"""Casts for whole orders through HTTP, on the usual server and on one that skips time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import make_url
from temporalio.testing import WorkflowEnvironment

from local.cast import Cast, cast
from local.servers import program
from local.stack import Stack
from tests.workflows.room import know_search_attributes


@dataclass
class TimelessPlay:
    """Everybody, at a facade whose Temporal server skips time."""

    cast: Cast
    env: WorkflowEnvironment

    async def skip(self, time: timedelta) -> None:
        """Let so much time pass, at once."""
        await self.env.sleep(time)


@pytest.fixture(scope="session")
async def timeless(
    environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[WorkflowEnvironment, Mapping[str, str]]]:
    """A facade and a worker of their own, beside the usual ones, at a server that skips time."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server")
    ) as env:
        await know_search_attributes(env.client)
        given = dict(environment)
        for own in (
            "API_URL",
            "PUBLIC_BASE_URL",
            "STRIPE_WEBHOOK_SECRET",
            "STRIPE_CONNECT_WEBHOOK_SECRET",
        ):
            del given[own]
        given["TEMPORAL_ADDRESS"] = env.client.service_client.config.target_host
        # Stripe's events reach both facades: each has to know its own orders only.
        database = make_url(given["DATABASE_URL"]).set(database="timeless")
        given["DATABASE_URL"] = database.render_as_string(hide_password=False)
        stack = Stack(
            tmp_path_factory.mktemp("timeless"),
            likes_ports=False,
            given=given,
            say=lambda _: None,
        )
        yield env, await asyncio.to_thread(stack.up)
        await asyncio.to_thread(stack.reset)


@pytest.fixture
async def timeless_play(
    timeless: tuple[WorkflowEnvironment, Mapping[str, str]],
) -> AsyncIterator[TimelessPlay]:
    """Everybody, and the hands of the clock."""
    env, its_environment = timeless
    async with cast(its_environment) as everybody:
        yield TimelessPlay(everybody, env)
