"""`python -m local up | down | reset | status`: what `make` calls."""

import sys

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


if __name__ == "__main__":
    sys.exit(main())
