"""The maps stand-in on a port of its own, for as long as a test needs it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from local.maps.app import create_app

GOOGLE_KEY = "AIza-a-key-for-tests"
MAPBOX_TOKEN = "pk.a-token-for-tests"
SEED_ADDRESS = "123 Main St, Austin, TX 78701"

GEOCODE = "/maps/api/geocode/json"
MATRIX = "/maps/api/distancematrix/json"
FORWARD = "/search/geocode/v6/forward"
REVERSE = "/search/geocode/v6/reverse"


@contextmanager
def maps_stand_in() -> Iterator[str]:
    """Serve the stand-in from a thread; gives its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The socket listens already: whoever calls early waits in its queue, not in a loop.
        server = uvicorn.Server(uvicorn.Config(create_app(), log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
