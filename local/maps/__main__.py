"""`python -m local.maps --port PORT`: serve the stand-in until it is told to stop."""

import argparse

import uvicorn

from local.maps.app import create_app


def main() -> None:
    """Read the address to listen on, and serve. Port 0 takes a free one and prints it."""
    parser = argparse.ArgumentParser(
        prog="python -m local.maps", description="A stand-in for Google Maps and Mapbox."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    address = parser.parse_args()
    uvicorn.run(create_app(), host=address.host, port=address.port, access_log=False)


if __name__ == "__main__":
    main()
