"""Free ports on this machine."""

import socket

HOST = "127.0.0.1"
_HIGHEST = 65_535


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
    """A port that the system says is free."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody takes connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0
