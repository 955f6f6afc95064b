"""Logging in, staying logged in, logging out."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from api import logins, sessions
from api.bodies import LoginBody
from api.clients import client_of
from api.dependencies import ServicesDep
from api.errors import problems
from api.identity_bodies import LogoutBody, RefreshBody
from api.identity_views import DoneOut
from api.permits import Anyone
from api.views import LoginOut

router = APIRouter(prefix="/auth", tags=["Authentication"], dependencies=[Anyone])


@router.post(
    "/login",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
    ),
)
async def log_in(held: ServicesDep, request: Request, body: LoginBody) -> LoginOut:
    """Exchange an email address and a password for an access token, good for 15 minutes, and a
    refresh token, good for 7 days and once.
    """
    return await logins.log_in(held, client_of(request), body.email, body.password)


@router.post("/refresh", responses=problems(HTTPStatus.UNAUTHORIZED))
async def refresh(held: ServicesDep, body: RefreshBody) -> LoginOut:
    """Exchange a refresh token for the next access and refresh token. One that comes a second time
    ends the session it belongs to, for whoever has the later ones, too: log in again.
    """
    return await sessions.refresh(held, body.refresh_token)


@router.post("/logout")
async def log_out(held: ServicesDep, body: LogoutBody) -> DoneOut:
    """End the session of a refresh token; `everywhere`, all sessions of its owner. An access token
    of a session that ends alone is good until it expires: forget it.
    """
    await sessions.log_out(held, body.refresh_token, everywhere=body.everywhere)
    return DoneOut()
