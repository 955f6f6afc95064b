"""Stacks for tests."""

from pathlib import Path

from local.postgres import Postgres
from local.stack import Stack


def apart(home: Path, **settings: str) -> Stack:
    """A stack of a test's own, as `Stack.apart`, in an empty folder.

    What is written in it is there when its servers are killed, but need not outlast a power cut:
    PostgreSQL waits for no disk.
    """
    postgres = Postgres.at(home)
    postgres.prepare()
    with (postgres.data / "postgresql.auto.conf").open("a") as also:
        also.write("fsync = off\n")
    return Stack.apart(home, **settings)
