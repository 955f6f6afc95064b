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


def install(app: FastAPI) -> None:  # noqa: C901 - one small handler for each kind of error
    """Let every error of `app` leave as a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(Refused)
    async def refusal(_: Request, error: Refused) -> Response:
        return refused(error).response()

    @app.exception_handler(CannotBeRefunded)
    async def objection(_: Request, error: CannotBeRefunded) -> Response:
        if error.why is Objection.UNKNOWN_ITEM:
            return invalid("items", error.why, str(error)).response()
        return conflict(error.why, str(error)).response()

    @app.exception_handler(CannotBePlaced)
    async def obstacle(_: Request, error: CannotBePlaced) -> Response:
        return cannot_be_placed(error).response()

    @app.exception_handler(IllegalTransition)
    async def illegal(_: Request, error: IllegalTransition) -> Response:
        return illegal_transition(str(error), error.current, error.allowed).response()

    @app.exception_handler(OrderClosed)
    async def closed(_: Request, __: OrderClosed) -> Response:
        return conflict("order_closed", "the order has ended").response()

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, error: RequestValidationError) -> Response:
        errors = [
            {"field": _field(e), "message": e["msg"]} for e in error.errors()[:_MOST_ERRORS_TOLD]
        ]
        detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
        return Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, extra={"errors": errors}
        ).response()

    @app.exception_handler(BodyTooLarge)
    async def too_large(_: Request, error: BodyTooLarge) -> Response:
        return Problem(HTTPStatus(error.status_code), "body_too_large", error.detail).response()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        if status is HTTPStatus.BAD_REQUEST:
            # So FastAPI calls a body that is not even text.
            return invalid("body", "invalid_request", error.detail).response()
        code = status.name.lower()
        return Problem(status, code, str(error.detail), headers=error.headers).response()

    @app.exception_handler(EngineBusy)
    async def engine_busy(_: Request, __: EngineBusy) -> Response:
        return unavailable("the order engine did not answer in time").response()

    @app.exception_handler(StorageAway)
    async def storage_away(_: Request, error: StorageAway) -> Response:
        _log.warning("the storage does not answer", error=str(error))
        return unavailable("the storage does not answer").response()

    @app.exception_handler(RedisError)
    async def redis_away(_: Request, error: RedisError) -> Response:
        _log.warning("Redis does not answer", error=str(error))
        return unavailable("what this needs does not answer").response()

    async def database_error(_: Request, error: Exception) -> Response:
        if isinstance(error, DBAPIError) and is_unstorable(error):
            _log.warning("a value that cannot be stored", exc_info=error)
            return invalid("body", "invalid_request", "a value cannot be stored").response()
        if isinstance(error, DBAPIError) and not is_away(error):
            _log.error("unexpected database error", exc_info=error)
            return _unexpected()
        _log.warning("the database does not answer", error=str(error))
        return unavailable("the database does not answer").response()

    for kind in (DBAPIError, PoolExhausted, OSError):
        app.add_exception_handler(kind, database_error)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        return _unexpected()


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
                await _unexpected()(scope, receive, send)
            raise


def _field(error: Mapping[str, Any]) -> str:
    """Where in the request it is; JSON that cannot be read has a position there, not a field."""
    if error["type"] == "json_invalid":
        return "body"
    return ".".join(str(part) for part in error["loc"][1:]) or "body"


def _unexpected() -> Response:
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "this should not have happened"
    ).response()


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
