"""A Stripe of our own: the parts of its API we use, for the official SDK and the official CLI.

`python -m local.stripe --port 12111 --state stripe.sqlite` starts it; `create_app` makes the same
server for use inside a process. What one request goes through is `gateway.py`; what Stripe knows
about each kind of object is the file of that name; `control.py` is the door that Stripe has not,
through which tests break things on purpose.
"""

from local.stripe.app import create_app

__all__ = ["create_app"]
