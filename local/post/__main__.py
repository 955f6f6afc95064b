"""`python -m local.post --port PORT --smtp-port PORT`: serve until it is told to stop."""

import argparse

import uvicorn

from local.post.app import create_app
from local.stripe.server import BreakableHttp


def main() -> None:
    """Read the addresses to listen on, and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m local.post", description="Whoever passes messages on, with an inbox."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    address = parser.parse_args()
    app = create_app(address.host, address.smtp_port)
    uvicorn.run(app, host=address.host, port=address.port, access_log=False, http=BreakableHttp)


if __name__ == "__main__":
    main()
