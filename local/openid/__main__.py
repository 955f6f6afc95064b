"""`python -m local.openid --port PORT`: serve the stand-in until it is told to stop."""

import argparse

import uvicorn

from local.openid.app import create_app


def main() -> None:
    """Read the address to listen on, and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m local.openid", description="A stand-in for logins elsewhere."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    address = parser.parse_args()
    uvicorn.run(create_app(), host=address.host, port=address.port, access_log=False)


if __name__ == "__main__":
    main()
