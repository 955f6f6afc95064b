"""The official CLI, pinned by `cli/package-lock.json` and installed by npm into `.local`.

It sees no configuration but its own and reaches nothing but the stand-in: it would ask for newer
versions of itself, and is told of a proxy that is not there.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local.stripe.stripe_harness import REPOSITORY, SECRET_KEY, Api
from tests.local.stripe.stripe_schema import check

PINNED = Path(__file__).with_name("cli")
FOLDER = REPOSITORY / ".local" / "stripe-cli"
LOCK = "package-lock.json"
# Written once all is there: an installation that was broken off starts again.
FINISHED = FOLDER / "finished.json"

NOWHERE = "http://127.0.0.1:9"
DEADLINE_SECONDS = 60.0


def available() -> bool:
    """Tell whether there is an npm to install it with."""
    return shutil.which("npm") is not None


def install() -> Path:
    """Return the CLI, installed if it is not yet, byte for byte what is pinned."""
    pinned = (PINNED / LOCK).read_text()
    if not FINISHED.exists() or FINISHED.read_text() != pinned:
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(PINNED, FOLDER)
        command = ["npm", "install", "--prefix", str(FOLDER), "--ignore-scripts"]
        command += ["--no-audit", "--no-fund", "--no-update-notifier"]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=DEADLINE_SECONDS)
        FINISHED.write_text(pinned)
    return FOLDER / "node_modules" / ".bin" / "stripe"


@dataclass(frozen=True)
class Cli:
    """The CLI, pointed at a stand-in."""

    program: Path
    home: Path
    api: Api

    def run(self, *arguments: str) -> str:
        """Return what a command prints."""
        environment = {
            "HOME": str(self.home),
            "HTTPS_PROXY": NOWHERE,
            "PATH": os.environ["PATH"],
            "STRIPE_API_KEY": SECRET_KEY,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "XDG_CONFIG_HOME": str(self.home),
        }
        finished = subprocess.run(
            [self.program, *arguments, "--api-base", self.api.url],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Return the answer to a request, held against Stripe's schema."""
        answer: dict[str, Any] = json.loads(self.run(*arguments))
        check(answer)
        return answer

    def get(self, path: str, *options: str) -> dict[str, Any]:
        """Return the answer to a GET request."""
        return self.ask("get", path, *options)

    def post(self, path: str, *options: str, **fields: str | int) -> dict[str, Any]:
        """Return the answer to a POST request."""
        data = [part for name, value in fields.items() for part in ("-d", f"{name}={value}")]
        return self.ask("post", path, *options, *data)

    def trigger(self, event_type: str, *options: str) -> None:
        """Have the CLI do whatever makes Stripe send an event."""
        self.run("trigger", event_type, *options)
