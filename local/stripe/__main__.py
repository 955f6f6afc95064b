"""`python -m local.stripe --port PORT --state FILE`: Stripe, on this machine."""

import argparse
from pathlib import Path

import uvicorn

from local.stripe import server
from local.stripe.app import create_app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.stripe", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file to keep all in")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--retry-seconds",
        type=float,
        default=1.0,
        help="the pause after a first failed webhook delivery; it doubles from there",
    )
    arguments = parser.parse_args()
    app = create_app(arguments.state, arguments.retry_seconds)
    uvicorn.Server(server.configure(app, arguments.host, arguments.port)).run()


if __name__ == "__main__":
    main()
