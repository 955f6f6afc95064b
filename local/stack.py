"""Everything that RideNDine needs, on one machine: started, found again, stopped, forgotten.

What is given in the environment (DATABASE_URL, TEMPORAL_ADDRESS, …) is used instead of started.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local import ports, prepare, processes
from local.postgres import Postgres
from local.processes import Died, Register, Running
from local.servers import BACKING, OURS, STAND_IN_KEYS, Ports, Server

PROJECT = Path(__file__).resolve().parent.parent
HOME = PROJECT / ".local"

# What `.local/env` tells other programs.
TOLD = (
    "API_URL",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_UI_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "STRIPE_API_BASE",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_CONNECT_WEBHOOK_SECRET",
    "GOOGLE_MAPS_BASE_URL",
    "OPENID_URL",
    "INBOX_URL",
)

# What any program needs to run on this machine; none of it is a setting of ours.
MACHINE = ("PATH", "HOME", "TMPDIR")

# Schedules that can be triggered and do not fire by themselves: there is no such day.
NEVER = {
    "RECONCILIATION_CRON": "0 0 31 2 *",
    "DRIVER_LOCATIONS_CRON": "0 0 31 2 *",
    "MARKETS": '{"austin": {"payout_cron": "0 0 31 2 *"}}',
}

# What holds on one machine, unless it is given: everybody comes from one address, a simulated
# evening is a busy one, and whoever says that he asks for somebody else is not believed.
HERE = {
    "RATE_LIMIT_ANONYMOUS": "100000/minute",
    "RATE_LIMIT_SIGNED_IN": "100000/minute",
    "RATE_LIMIT_POSITIONS": "100000/minute",
    "RATE_LIMIT_AUTH": "100000/minute",
    "RATE_LIMIT_LIVE": "100000/minute",
    "FORWARDED_ALLOW_IPS": "",
    "SOCIAL_REDIRECT_URIS": '["ridendine://login"]',
    "WEBHOOK_PRIVATE_TARGETS": "true",
}

READY_SECONDS = 60.0

_SERVERS = {server.name: server for server in (*BACKING, *OURS)}


class Stack:
    """The servers of one home folder.

    With `likes_ports`, each server gets the port it is known for, or the next free one; without,
    any free port, so that stacks of tests do not meet.
    """

    def __init__(
        self,
        home: Path = HOME,
        *,
        likes_ports: bool = True,
        given: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.home = home
        self._likes_ports = likes_ports
        # Set to nothing, as some shells and compose files do, is not given.
        self._given = {k: v for k, v in (os.environ if given is None else given).items() if v}
        self._say = say
        self._register = Register(home / "processes.json")

    @classmethod
    def apart(cls, home: Path, **settings: str) -> "Stack":
        """A stack that shares nothing with any other, for a test or a bench.

        Nothing is given to it: a developer's shell may hold the address of a real database, or a
        live key of Stripe's. What happens by the clock must not happen in the middle of a test.
        `settings` are variables of its own.
        """
        machine = {name: os.environ[name] for name in MACHINE if name in os.environ}
        return cls(home, likes_ports=False, given=machine | NEVER | settings, say=lambda _: None)

    @property
    def runs(self) -> bool:
        """Whether the facade of this stack is up."""
        running = self._register.read().get("api")
        return running is not None and running.is_alive

    def environment(self) -> dict[str, str]:
        """The variables that the processes of this stack run with."""
        running = self._register.read()
        return self._environment({name: row.ports for name, row in running.items()})

    def up(self) -> dict[str, str]:
        """Start what does not run yet, and return when all of it is ready.

        Answers with the environment. Raises Died when a server does not stay alive, and
        TimeoutError when one does not get ready; what this call has started is stopped then.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._name_the_dead()
            before = set(self._register.read())
            chosen = self._choose_ports()
            environment = self._environment(chosen)
            try:
                self._start_all(BACKING, chosen, environment)
                environment |= prepare.everything(self.home, environment)
                self._start_all(OURS, chosen, environment)
            except BaseException:
                self._stop(set(self._register.read()) - before)
                raise
            told = "".join(f"{name}={environment.get(name, '')}\n" for name in TOLD)
            (self.home / "env").write_text(told)
        return environment

    def start(self, name: str) -> None:
        """Start one server again, on the ports that it had."""
        server = _SERVERS[name]
        ports = {row.name: row.ports for row in self._register.read().values()}
        environment = self.environment() | prepare.secrets_of(self.home)
        self._start_all([server], ports, environment)

    def kill(self, name: str) -> None:
        """End one server at once, as a crash would."""
        processes.kill(self._register.read()[name])

    def down(self) -> None:
        """Stop whatever runs."""
        with self._alone():
            self._stop(set(self._register.read()))
            (self.home / "env").unlink(missing_ok=True)

    def reset(self) -> None:
        """Stop whatever runs, and forget all data."""
        if not self.home.exists():
            return
        self.down()
        if "DATABASE_URL" not in self._given:
            Postgres.at(self.home).forget()
        shutil.rmtree(self.home)

    def running(self) -> list[Running]:
        """What was started and not stopped, alive or dead."""
        return list(self._register.read().values())

    def casualties(self) -> list[Died]:
        """Those that have died since they were started."""
        return [row.died() for row in self.running() if not row.is_alive]

    def _environment(self, chosen: Mapping[str, Ports]) -> dict[str, str]:
        found: dict[str, str] = {}
        for server in _SERVERS.values():
            if server.name in chosen:
                found |= server.found_by(chosen[server.name])
        found |= self._given
        for address, keys in STAND_IN_KEYS.items():
            if found.get(address):
                found = keys | found
        if "API_URL" in found:
            found = {"PUBLIC_BASE_URL": found["API_URL"]} | found
        found = HERE | {"STORAGE_URL": (self.home / "storage").absolute().as_uri()} | found
        found["WORKER_READY_FILE"] = str(self.home / "worker.ready")
        return found | prepare.secrets_of(self.home) | self._given

    def _choose_ports(self) -> dict[str, Ports]:
        """The ports of each server that is not given: those it has, had, likes, or the next."""
        register = self._register.read()
        remembered = self._remembered_ports()
        taken: set[int] = set()
        chosen: dict[str, Ports] = {}
        for server in _SERVERS.values():
            if any(self._given.get(name) for name in server.given_by):
                continue
            if server.name in register:
                chosen[server.name] = register[server.name].ports
            else:
                had = remembered.get(server.name, {})
                chosen[server.name] = {
                    name: self._choose_port(name, had.get(name, liked), taken)
                    for name, liked in server.likes.items()
                }
            taken |= set(chosen[server.name].values())
        self._ports_file.write_text(json.dumps(chosen))
        return chosen

    def _choose_port(self, name: str, wanted: int, taken: set[int]) -> int:
        if not self._likes_ports:
            return ports.any_free()
        port = ports.next_free(wanted, taken)
        if port != wanted:
            self._say(f"port {wanted} is taken: {name} is at {port} instead")
        return port

    def _start_all(
        self, servers: Sequence[Server], chosen: Mapping[str, Ports], environment: Mapping[str, str]
    ) -> None:
        register = self._register.read()
        missing = [
            server
            for server in servers
            if server.name in chosen
            and not (server.name in register and register[server.name].is_alive)
        ]
        began = time.monotonic()
        # All at once: each takes a moment to get ready, and they do not need each other for it.
        for server in missing:
            self._launch(server, chosen[server.name], environment)
        for server in missing:
            self._wait_for(server, environment)
            at = ", ".join(f"{name} {port}" for name, port in chosen[server.name].items())
            self._say(f"{server.name:9} ready  {time.monotonic() - began:4.1f} s  {at}")

    def _launch(self, server: Server, ports: Ports, environment: Mapping[str, str]) -> None:
        self._register.add(
            processes.start(
                server.name,
                server.command(self.home, ports),
                self.home / "log" / f"{server.name}.log",
                ports=ports,
                environment=environment,
                directory=PROJECT,
                user=server.user(self.home),
            )
        )

    def _wait_for(self, server: Server, environment: Mapping[str, str]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        started = self._register.read()[server.name]
        while not prepare.is_ready(started, environment):
            if not started.is_alive:
                died = started.died()
                if server.not_yet is None or server.not_yet not in died.tail:
                    self._register.remove(started.name)
                    raise died
                time.sleep(0.1)
                self._launch(server, started.ports, environment)
                started = self._register.read()[server.name]
            if time.monotonic() > deadline:
                tail = processes.tail(Path(started.log))
                raise TimeoutError(
                    f"{started.name} is not ready after {READY_SECONDS:g} s."
                    f" The end of its log:\n{tail}"
                )
            time.sleep(0.02)

    def _stop(self, names: Collection[str]) -> None:
        for server in reversed(_SERVERS.values()):
            if server.name in names:
                processes.stop(self._register.read()[server.name], server.stop_signal)
                self._register.remove(server.name)

    def _name_the_dead(self) -> None:
        for died in self.casualties():
            self._say(f"{died}\nStarting {died.name} again.")
            self._register.remove(died.name)

    @property
    def _ports_file(self) -> Path:
        return self.home / "ports.json"

    def _remembered_ports(self) -> dict[str, Ports]:
        if not self._ports_file.exists():
            return {}
        remembered: dict[str, Ports] = json.loads(self._ports_file.read_text())
        return remembered

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One command at a time for this home."""
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
