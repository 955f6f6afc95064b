"""Logging in by Google, Facebook or Apple, and what of that opens an account."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import RedirectResponse

from api import identities, social
from api.dependencies import ServicesDep
from api.errors import problems
from api.identities import IdentitiesOut, LinkBody
from api.permits import ActsOnProfile, Anyone, MayReadProfile
from api.social import PostedBack, SocialLoginBody, StartBody, StartedOut
from api.views import LoginOut
from domain.social import Provider

router = APIRouter(prefix="/auth", tags=["Authentication"])

_LongText = Annotated[str, Query(max_length=2000)]

_BACK = {
    HTTPStatus.SEE_OTHER.value: {"description": "Back to the app"},
    **problems(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE),
}


@router.post(
    "/social/{provider}/start",
    dependencies=[Anyone],
    responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def start(
    held: ServicesDep, provider: Provider, body: StartBody, response: Response
) -> StartedOut:
    """Begin a login elsewhere: where to send the browser, and what to keep until it is back."""
    response.headers["Cache-Control"] = "no-store"
    return await social.start(held, provider, body.redirect_uri)


@router.get(
    "/social/{provider}/callback",
    dependencies=[Anyone],
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses=_BACK,
)
async def come_back(
    held: ServicesDep,
    provider: Provider,
    state: _LongText = "",
    code: _LongText = "",
    error: _LongText = "",
) -> RedirectResponse:
    """Where Google and Facebook send a browser back to; it goes on to the app's `redirectUri`, with
    `state` and either `code` or `error`.
    """
    answer = {"state": state, "code": code, "error": error}
    return _go_on(await social.come_back(held, provider, answer))


@router.post(
    "/social/{provider}/callback",
    dependencies=[Anyone],
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses=_BACK,
)
async def post_back(
    held: ServicesDep, provider: Provider, form: Annotated[PostedBack, Form()]
) -> RedirectResponse:
    """The same, as Apple does it: by a form, the first time with a name."""
    return _go_on(await social.come_back(held, provider, form.model_dump()))


@router.post(
    "/login/social",
    dependencies=[Anyone],
    responses=problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.CONFLICT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def log_in_elsewhere(held: ServicesDep, body: SocialLoginBody) -> LoginOut:
    """Exchange the code that came back for tokens, as a login with a password gives them.

    Who comes for the first time gets an account of his own. Where his address has one already, or
    the provider does not say that it is his, it is a 409 with a `linkToken`: log in, then link.
    """
    return await social.log_in(held, body)


@router.post(
    "/social/link",
    responses=problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def link(held: ServicesDep, who: ActsOnProfile, body: LinkBody) -> IdentitiesOut:
    """Let a login elsewhere open this account from now on."""
    return await identities.link(held, who, body.link_token)


@router.get("/social/identities", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def look(held: ServicesDep, who: MayReadProfile) -> IdentitiesOut:
    """Which logins elsewhere open this account, and whether it has a password."""
    return await identities.of_user(held, who.user_id)


@router.delete(
    "/social/identities/{provider}",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
    ),
)
async def unlink(held: ServicesDep, who: ActsOnProfile, provider: Provider) -> IdentitiesOut:
    """Have a login elsewhere open this account no more; not the last way in."""
    return await identities.unlink(held, who.user_id, provider)


def _go_on(address: str) -> RedirectResponse:
    headers = {"Cache-Control": "no-store"}
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers)
