"""Libraries from npm, byte for byte as pinned."""

import os
import shutil
import subprocess
from pathlib import Path

LOCK = "package-lock.json"
DEADLINE_SECONDS = 90.0


def installed(pinned: Path, to: Path) -> Path:
    """The libraries that a folder pins, installed once for all clones of its lock, and again when
    that changes.
    """
    finished = to / "finished.json"
    lock = (pinned / LOCK).read_text()
    if not finished.exists() or finished.read_text() != lock:
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for name in ("package.json", LOCK):
            shutil.copy(pinned / name, to)
        run(to, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        finished.write_text(lock)
    return to


def run(where: Path, *command: str) -> str:
    """What a command prints. Raises CalledProcessError when it fails."""
    finished = subprocess.run(
        command,
        cwd=where,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    return finished.stdout
