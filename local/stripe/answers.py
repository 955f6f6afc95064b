"""The answer to one API request, as it is sent and as it is kept for replay."""

import json
from dataclasses import dataclass

from starlette.responses import Response

from local.stripe.errors import StripeError
from local.stripe.store import StripeObject


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: str
    # The request that was executed for it.
    request_id: str
    # Whether an Idempotency-Key keeps it.
    remembered: bool = True
    replayed: bool = False

    @classmethod
    def of(cls, body: StripeObject, request_id: str) -> "Answer":
        """Answer with an object."""
        return cls(200, json.dumps(body, indent=2), request_id)

    @classmethod
    def refusing(cls, error: StripeError, request_id: str) -> "Answer":
        """Answer with an error."""
        body = json.dumps(error.body(request_id), indent=2)
        return cls(error.status, body, request_id, remembered=error.remembered)

    def response(self, headers: dict[str, str]) -> Response:
        """Return the HTTP response."""
        return Response(self.body, self.status, headers=headers, media_type="application/json")
