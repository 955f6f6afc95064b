"""What `make up`, `down`, `reset` and `status` promise, on stacks of one server each."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from local import ports
from local.postgres import Postgres
from local.processes import Died
from local.stack import HERE, MACHINE, NEVER, PROJECT, TOLD, Stack

# Addresses that nobody has to answer at, so that nothing is started for them.
ELSEWHERE = {
    "API_URL": "http://api.example:9001",
    "TEMPORAL_ADDRESS": "temporal.example:7233",
    "TEMPORAL_UI_URL": "http://temporal.example:8233",
    "REDIS_URL": "redis://redis.example:6379/0",
    "STRIPE_API_KEY": "sk_test_elsewhere",
    "STRIPE_WEBHOOK_SECRET": "whsec_elsewhere",
    "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_connect_elsewhere",
    "SOCIAL_PROVIDERS": "{}",
    "SMTP_URL": "smtp://mail.example:587",
}


@dataclass
class Home:
    """A stack in a folder of its own, and what it has said."""

    stack: Stack
    said: list[str] = field(default_factory=list)

    @property
    def servers(self) -> set[str]:
        return {row.name for row in self.stack.running()}

    @property
    def told(self) -> dict[str, str]:
        """What `.local/env` holds."""
        lines = (self.stack.home / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@contextlib.contextmanager
def home(folder: Path, given: Mapping[str, str], *, likes_ports: bool = False) -> Iterator[Home]:
    """A stack that starts what is not given; forgotten afterwards."""
    said: list[str] = []
    stack = Stack(
        folder,
        likes_ports=likes_ports,
        given={"PATH": os.environ["PATH"], **given},
        say=said.append,
    )
    try:
        yield Home(stack, said)
    finally:
        stack.reset()


@pytest.fixture
def maps_only(tmp_path: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Given: everything but the maps, with a database that does not exist yet."""
    name = f"stack_{tmp_path.name}"
    url = make_url(environment["DATABASE_URL"]).set(database=name)
    return ELSEWHERE | {"DATABASE_URL": url.render_as_string(hide_password=False)}


async def _count(database_url: str, table: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(found)
    finally:
        await connection.close()


def count(database_url: str, table: str) -> int:
    return asyncio.run(_count(database_url, table))


def test_what_is_given_is_used_instead_of_started(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    with home(tmp_path / "home", maps_only) as ours:
        environment = ours.stack.up()
        assert ours.servers == {"maps"}
        assert maps_only.items() <= environment.items()
        assert "STRIPE_API_BASE" not in environment


def test_a_variable_that_is_set_to_nothing_is_not_given(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    with home(tmp_path / "home", {**maps_only, "GOOGLE_MAPS_BASE_URL": ""}) as ours:
        environment = ours.stack.up()
        assert ours.servers == {"maps"}
        assert environment["GOOGLE_MAPS_BASE_URL"].startswith("http://127.0.0.1:")


def test_other_programs_find_everything_in_env_as_long_as_it_is_up(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    with home(tmp_path / "home", maps_only) as ours:
        environment = ours.stack.up()
        assert tuple(ours.told) == TOLD
        assert ours.told == {name: environment.get(name, "") for name in TOLD}
        ours.stack.down()
        assert not (ours.stack.home / "env").exists()
        assert ours.servers == set()


def test_one_apart_shares_nothing_that_the_shell_happens_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_live_of_somebody")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere.example/precious")
    environment = Stack.apart(tmp_path / "home").environment()
    assert set(environment) <= {*MACHINE, *NEVER, *HERE, "STORAGE_URL", "WORKER_READY_FILE"}


def test_the_running_stack_has_told_an_address_for_everything(stack: Stack) -> None:
    told = dict(line.split("=", 1) for line in (stack.home / "env").read_text().splitlines())
    assert tuple(told) == TOLD
    assert all(told.values())


def test_a_taken_port_means_the_next_free_one_said_aloud(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    liked = 12112
    with socket.socket() as squatter, home(tmp_path / "home", maps_only, likes_ports=True) as ours:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Somebody else on this machine may sit there already: taken is taken.
        with contextlib.suppress(OSError):
            squatter.bind((ports.HOST, liked))
            squatter.listen()
        environment = ours.stack.up()
        port = int(environment["GOOGLE_MAPS_BASE_URL"].rpartition(":")[2])
        assert port > liked
        assert f"port {liked} is taken: maps is at {port} instead" in ours.said


def test_a_second_up_uses_what_runs(tmp_path: Path, maps_only: Mapping[str, str]) -> None:
    with home(tmp_path / "home", maps_only) as ours:
        first = ours.stack.up()
        running = ours.stack.running()
        assert ours.stack.up() == first
        assert ours.stack.running() == running


def test_it_comes_back_on_the_ports_it_had(tmp_path: Path, maps_only: Mapping[str, str]) -> None:
    with home(tmp_path / "home", maps_only, likes_ports=True) as ours:
        first = ours.stack.up()
        ours.stack.down()
        assert ours.stack.up() == first


def test_a_server_that_died_is_named_with_the_end_of_its_log_and_started_again(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    with home(tmp_path / "home", maps_only) as ours:
        ours.stack.up()
        assert ours.stack.casualties() == []
        ours.stack.kill("maps")
        (died,) = ours.stack.casualties()
        assert (died.name, died.how) == ("maps", "signal SIGKILL")
        assert died.tail == (ours.stack.home / "log" / "maps.log").read_text().strip()
        ours.stack.up()
        assert any(line.startswith("maps died (signal SIGKILL)") for line in ours.said)
        assert ours.stack.casualties() == []


def test_a_server_that_does_not_start_is_named_and_nothing_is_left_running(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    (tmp_path / "home" / "stripe.sqlite").mkdir(parents=True)
    given = {name: value for name, value in maps_only.items() if name != "STRIPE_API_KEY"}
    with home(tmp_path / "home", given) as ours:
        with pytest.raises(Died) as caught:
            ours.stack.up()
        assert caught.value.name == "stripe"
        assert "unable to open database file" in str(caught.value)
        assert ours.servers == set()
        assert not (ours.stack.home / "env").exists()


def test_the_city_is_settled_once(tmp_path: Path, maps_only: Mapping[str, str]) -> None:
    with home(tmp_path / "home", maps_only) as ours:
        ours.stack.up()
        people = count(maps_only["DATABASE_URL"], "users")
        assert count(maps_only["DATABASE_URL"], "drivers") == 12
        assert count(maps_only["DATABASE_URL"], "chefs") > 2
        ours.stack.up()
        assert count(maps_only["DATABASE_URL"], "users") == people


def test_reset_forgets_what_it_has_made_and_leaves_what_was_given(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    with home(tmp_path / "home", maps_only) as ours:
        ours.stack.up()
        ours.stack.reset()
        assert not ours.stack.home.exists()
        assert count(maps_only["DATABASE_URL"], "chefs") > 2


def test_postgresql_starts_where_only_its_owner_may_go(
    tmp_path: Path, maps_only: Mapping[str, str]
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    given = {k: v for k, v in maps_only.items() if k != "DATABASE_URL"}
    given |= {"GOOGLE_MAPS_API_KEY": "AIza-elsewhere"}
    with home(private / "home", given) as ours:
        environment = ours.stack.up()
        assert ours.servers == {"postgres"}
        assert count(environment["DATABASE_URL"], "drivers") == 12
        ours.stack.down()
        environment = ours.stack.up()
        assert count(environment["DATABASE_URL"], "drivers") == 12
        data = Postgres.at(ours.stack.home).data
        assert data.exists()
        ours.stack.reset()
        assert not data.exists()
        assert data.parent == ours.stack.home or not data.parent.exists()


def test_every_variable_that_is_told_is_written_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert [name for name in TOLD if name not in readme] == []
