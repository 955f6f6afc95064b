"""What goes wrong, as application/problem+json (RFC 9457) with a stable `code`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.engine import EngineBusy, OrderClosed, Refused
from api.limits import BodyTooLarge
from domain.order_status import IllegalTransition, OrderStatus
from domain.placing import CannotBePlaced
from domain.refunds import CannotBeRefunded, Objection
from providers.storage import StorageAway
from schema.database import is_away, is_unstorable

# A body of nothing but mistakes is not worth a longer answer.
_MOST_ERRORS_TOLD = 20

_log = structlog.get_logger()


class Problem(Exception):
    """An answer that is not what was asked for. `extra` members are part of its body."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.extra = headers, extra or {}

    def response(self) -> Response:
        """The answer itself."""
        return JSONResponse(
            {
                "type": f"urn:ridendine:problem:{self.code}",
                "title": self.status.phrase,
                "status": self.status.value,
                "code": self.code,
                "detail": self.detail,
                **self.extra,
            },
            status_code=self.status,
            headers=self.headers,
            media_type="application/problem+json",
        )


def unauthorised(detail: str) -> Problem:
    """Nobody knows who is asking."""
    return Problem(
        HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"}
    )


def forbidden(detail: str) -> Problem:
    """It is known who is asking, and that he may not."""
    return Problem(HTTPStatus.FORBIDDEN, "forbidden", detail)


def fresh_login_needed() -> Problem:
    """A token alone is not enough for this: it may be a stolen one."""
    return Problem(HTTPStatus.FORBIDDEN, "fresh_login_needed", "log in again, then at once this")


def not_found(what: str) -> Problem:
    """There is no such thing, or none that the caller may know of."""
    return Problem(HTTPStatus.NOT_FOUND, "not_found", f"there is no such {what}")


def invalid(field: str, code: str, detail: str) -> Problem:
    """A request whose `field` cannot be as it is."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code,
        detail,
        extra={"errors": [{"field": field, "message": detail}]},
    )


def conflict(code: str, detail: str, **extra: object) -> Problem:
    """A request that cannot be met as things stand."""
    return Problem(HTTPStatus.CONFLICT, code, detail, extra=extra)


def chef_cannot_be_paid() -> Problem:
    """A kitchen that must not take orders, since its money would have nowhere to go."""
    return conflict("chef_cannot_be_paid", "the chef cannot be paid: Stripe needs something first")


def cannot_be_placed(obstacle: CannotBePlaced) -> Problem:
    """An order that somebody else was faster than."""
    return conflict(obstacle.why, str(obstacle), **obstacle.details)


def illegal_transition(detail: str, current: OrderStatus, allowed: list[OrderStatus]) -> Problem:
    """An order that may not go where it was to go: where it is, and where it may go instead."""
    return conflict("illegal_transition", detail, currentStatus=current, allowed=allowed)


def unavailable(detail: str) -> Problem:
    """Something that this process needs does not answer; the same request may be sent again."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        f"{detail}; send the same request again",
        headers={"Retry-After": "1"},
    )


def not_set_up(setting: str) -> Problem:
    """What this needs has not been given to this process."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_set_up", f"{setting} is not set")


def busy(detail: str) -> Problem:
    """More of these requests come than are worked on at once, so that others do not suffer."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        f"{detail}; send the same request again",
        headers={"Retry-After": "1"},
    )


def refused(refusal: Refused) -> Problem:
    """What a workflow refused, for the caller."""
    words = str(refusal)
    where = refusal.refusal
    match refusal.kind:
        case "IllegalTransition" if where and where.current:
            return illegal_transition(words, where.current, where.allowed)
        case "NotBegun" | "StripeUnavailable":
            return unavailable(words)
        case kind:
            code = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind).lstrip("_")
            extra = {"currentStatus": where.current} if where else {}
            return conflict(code, words, **extra, **((where and where.details) or {}))


def as_problem(error: Exception) -> Problem:  # noqa: C901, PLR0911, PLR0912 - a line each
    """What goes wrong, for whoever asked. What nobody has thought of is a 500."""
    match error:
        case Problem():
            return error
        case Refused():
            return refused(error)
        case CannotBeRefunded(why=Objection.UNKNOWN_ITEM):
            return invalid("items", error.why, str(error))
        case CannotBeRefunded():
            return conflict(error.why, str(error))
        case CannotBePlaced():
            return cannot_be_placed(error)
        case IllegalTransition():
            return illegal_transition(str(error), error.current, error.allowed)
        case OrderClosed():
            return conflict("order_closed", "the order has ended")
        case RequestValidationError():
            return _invalid_request(error)
        case BodyTooLarge():
            return Problem(HTTPStatus(error.status_code), "body_too_large", error.detail)
        case HTTPException():
            return _http(error)
        case EngineBusy():
            return unavailable("the order engine did not answer in time")
        case StorageAway():
            _log.warning("the storage does not answer", error=str(error))
            return unavailable("the storage does not answer")
        case RedisError():
            _log.warning("Redis does not answer", error=str(error))
            return unavailable("what this needs does not answer")
        case DBAPIError() | PoolExhausted() | OSError():
            return _database_error(error)
    return _unexpected()


_KINDS = (
    Problem,
    Refused,
    CannotBeRefunded,
    CannotBePlaced,
    IllegalTransition,
    OrderClosed,
    RequestValidationError,
    BodyTooLarge,
    HTTPException,
    EngineBusy,
    StorageAway,
    RedisError,
    DBAPIError,
    PoolExhausted,
    OSError,
    Exception,
)


def install(app: FastAPI) -> None:
    """Let every error of `app` leave as a problem."""

    async def answered(_: Request, error: Exception) -> Response:
        return as_problem(error).response()

    for kind in _KINDS:
        app.add_exception_handler(kind, answered)


class Answered:
    """Answers what no handler knows, inside of what adds headers to answers: Starlette itself would
    answer outside of it. The error goes on, to the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. Raises whatever was not expected, once it is answered."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if scope["type"] == "http" and not begun:
                await _unexpected().response()(scope, receive, send)
            raise


def _invalid_request(error: RequestValidationError) -> Problem:
    errors = [{"field": _field(e), "message": e["msg"]} for e in error.errors()[:_MOST_ERRORS_TOLD]]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, extra={"errors": errors}
    )


def _http(error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:
        # So FastAPI calls a body that is not even text.
        return invalid("body", "invalid_request", error.detail)
    return Problem(status, status.name.lower(), str(error.detail), headers=error.headers)


def _database_error(error: Exception) -> Problem:
    if isinstance(error, DBAPIError) and is_unstorable(error):
        _log.warning("a value that cannot be stored", exc_info=error)
        return invalid("body", "invalid_request", "a value cannot be stored")
    if isinstance(error, DBAPIError) and not is_away(error):
        _log.error("unexpected database error", exc_info=error)
        return _unexpected()
    _log.warning("the database does not answer", error=str(error))
    return unavailable("the database does not answer")


def _field(error: Mapping[str, Any]) -> str:
    """Where in the request it is; JSON that cannot be read has a position there, not a field."""
    if error["type"] == "json_invalid":
        return "body"
    return ".".join(str(part) for part in error["loc"][1:]) or "body"


def _unexpected() -> Problem:
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "this should not have happened"
    )


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the problems that an operation may answer with."""
    return {status.value: _DOCUMENTED[status] for status in statuses}


def _documented(status: HTTPStatus, code: str, detail: str) -> dict[str, Any]:
    example = {
        "type": f"urn:ridendine:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
    }
    return {
        "description": status.phrase,
        "content": {"application/problem+json": {"example": example}},
    }


_DOCUMENTED = {
    status: _documented(status, code, detail)
    for status, code, detail in (
        (HTTPStatus.BAD_REQUEST, "bad_signature", "the signature does not fit the body"),
        (HTTPStatus.UNAUTHORIZED, "unauthorized", "an access token is needed"),
        (HTTPStatus.FORBIDDEN, "forbidden", "this is for the role chef"),
        (HTTPStatus.NOT_FOUND, "not_found", "there is no such order"),
        (
            HTTPStatus.CONFLICT,
            "illegal_transition",
            "an order that is delivered cannot become cancelled by customer",
        ),
        (
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            "a body is 5242880 bytes at most",
        ),
        (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid_request",
            "items.0.quantity: Input should be greater than or equal to 1",
        ),
        (
            HTTPStatus.TOO_MANY_REQUESTS,
            "rate_limited",
            "too many requests; ask again in 9 s",
        ),
        (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "the order engine did not answer in time; send the same request again",
        ),
    )
}
