"""Logging in."""

from http import HTTPStatus

from fastapi import APIRouter

from api import auth
from api.bodies import LoginBody
from api.dependencies import ServicesDep
from api.errors import Problem, problems
from api.permits import Anyone
from api.views import LoginOut, UserOut

router = APIRouter(prefix="/auth", tags=["Authentication"], dependencies=[Anyone])


@router.post("/login", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY))
async def log_in(held: ServicesDep, body: LoginBody) -> LoginOut:
    """Exchange an email address and a password for an access token, good for 15 minutes."""
    login = await auth.log_in(held.database, body.email, body.password)
    if login is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "bad_credentials", "no such email address and password"
        )
    return LoginOut(
        access_token=auth.access_token(login, held.settings),
        expires_in=held.settings.access_token_minutes * 60,
        user=UserOut(
            id=login.id,
            email=login.email,
            role=login.role,
            first_name=login.first_name,
            last_name=login.last_name,
        ),
    )
