"""Stripe's errors: one class for each way in which a request can be refused."""

from typing import Any, ClassVar

from local.stripe import clock

ERROR_CODES_URL = "https://docs.stripe.com/error-codes"
REQUEST_LOGS_URL = "https://dashboard.stripe.com/test/logs"


class StripeError(Exception):
    """A refused request, with everything Stripe's error object says about it."""

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "invalid_request_error"
    # Stripe remembers an answer under its Idempotency-Key once execution has begun, refusals too.
    remembered: ClassVar[bool] = True

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, **details: object
    ) -> None:
        """Name what is wrong; `details` are further fields such as `decline_code` or `charge`."""
        super().__init__(message)
        self.code = code
        self.details: dict[str, Any] = {"code": code, "message": message, "param": param} | details
        if code is not None:
            self.details["doc_url"] = documentation(code)

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the JSON that answers request `request_id`."""
        fields = self.details | {
            "type": self.kind,
            "request_log_url": f"{REQUEST_LOGS_URL}/{request_id}?t={clock.now()}",
        }
        return {
            "error": {name: fields[name] for name in sorted(fields) if fields[name] is not None}
        }


class InvalidRequest(StripeError):
    """The request makes sense, but not in the present state of things."""


class InvalidParameter(StripeError):
    """A parameter is missing, unknown or malformed: nothing was executed."""

    remembered = False


class MissingResource(StripeError):
    """The object that the URL names does not exist: nothing was executed."""

    status = 404
    remembered = False


class CardError(StripeError):
    """The card was refused."""

    status = 402
    kind = "card_error"


class PaymentFailed(CardError):
    """A payment was tried and declined. What that changed, such as a failed charge, stays."""


class Unauthenticated(StripeError):
    """There is no API key, or none that this server accepts."""

    status = 401
    remembered = False


class Forbidden(StripeError):
    """The API key is a good one, but not for this."""

    status = 403
    remembered = False


class RateLimited(StripeError):
    """Too many requests."""

    status = 429
    remembered = False

    def __init__(self) -> None:
        """Say it in Stripe's words."""
        super().__init__(
            "Request rate limit exceeded. Learn more about rate limits here "
            "https://docs.stripe.com/rate-limits.",
            code="rate_limit",
        )


class ServerError(StripeError):
    """Stripe itself failed."""

    status = 500
    kind = "api_error"

    def __init__(self) -> None:
        """Say it in Stripe's words."""
        super().__init__("An unknown error occurred while processing your request.")


class BalanceInsufficient(StripeError):
    """There is too little on the account for this."""

    def __init__(
        self, message: str = "Insufficient funds in your Stripe balance to refund this amount."
    ) -> None:
        """Say it in Stripe's words, which differ by what the money was for."""
        super().__init__(message, code="balance_insufficient")


class IdempotencyMismatch(StripeError):
    """An Idempotency-Key came back with another request than its first."""

    kind = "idempotency_error"
    remembered = False


class IdempotencyKeyInUse(StripeError):
    """The first request with this Idempotency-Key is still executing."""

    status = 409
    kind = "idempotency_error"
    remembered = False


def documentation(code: str) -> str:
    """Return the address of Stripe's page on error code `code`."""
    return f"{ERROR_CODES_URL}/{code.replace('_', '-')}"
