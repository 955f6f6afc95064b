"""Free ports on this machine."""

import itertools
import os
import socket

HOST = "127.0.0.1"
_HIGHEST = 65_535
# Systems give connections ports from 32,768 upwards. Each process looks for free ones in a block of
# its own, further on each time.
_FIRST, _BLOCKS, _BLOCK = 16_000, 160, 100
_turns = itertools.count()


def is_free(port: int) -> bool:
    """Whether nobody listens on `port`, so that we could."""
    with socket.socket() as probe:
        # As servers do: a connection of the last run that is still closing is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def next_free(wanted: int, taken: set[int]) -> int:
    """`wanted`, or the next port after it that is free and not among `taken`."""
    for port in range(wanted, _HIGHEST + 1):
        if port not in taken and is_free(port):
            return port
    raise RuntimeError(f"no free port from {wanted} upwards")


def any_free() -> int:
    """A free port that nobody takes before somebody listens on it: none of those that the system
    gives to connections, and none that another process of ours looks at. Raises RuntimeError.
    """
    first = _FIRST + os.getpid() % _BLOCKS * _BLOCK
    for _ in range(_BLOCK):
        port = first + next(_turns) % _BLOCK
        if is_free(port):
            return port
    raise RuntimeError(f"no free port from {first} to {first + _BLOCK - 1}")


def answers(port: int) -> bool:
    """Whether somebody takes connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0
