"""`python -m local up | down | reset | status | run MODULE …`: what `make` calls."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from local.processes import Died
from local.stack import Stack


def main() -> int:
    """Do what is asked; the exit status is 1 when a server died."""
    stack = Stack()
    try:
        match sys.argv[1:]:
            case ["up"]:
                environment = stack.up()
                print(f"The API's documents: {environment['API_URL']}/docs")
            case ["down"]:
                stack.down()
            case ["reset"]:
                stack.reset()
            case ["status"]:
                return _status(stack)
            case ["run", module, *arguments]:
                return _run(stack, module, arguments)
            case _:
                print(__doc__)
                return 2
    except (Died, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _status(stack: Stack) -> int:
    for row in stack.running():
        if row.is_alive:
            print(f"{row.name:9} runs, process {row.pid}, {row.ports or ''}")
    casualties = stack.casualties()
    for died in casualties:
        print(died)
    return 1 if casualties else 0


def _run(stack: Stack, module: str, arguments: Sequence[str]) -> NoReturn:
    """Become `python -m module`, told where the servers are; what is given goes first."""
    command = [sys.executable, "-m", module, *arguments]
    os.execve(sys.executable, command, {**os.environ, **stack.environment()})  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
