"""Opening an account, and what it is known by: address, password, phone."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from api import accounts, phones
from api.clients import client_of
from api.dependencies import ServicesDep
from api.errors import problems
from api.identity_bodies import (
    ChangeEmailBody,
    ChangePasswordBody,
    CodeBody,
    EmailBody,
    NewPasswordBody,
    RegistrationBody,
    SendCodeBody,
    TokenBody,
)
from api.identity_views import DoneOut, SentOut
from api.permits import ActsOnProfile, Anyone
from api.views import LoginOut

router = APIRouter(prefix="/auth", tags=["Authentication"])

_SENDING = problems(
    HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
)
_FOLLOWING = problems(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS)
_WITH_PASSWORD = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_CODES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
)


@router.post(
    "/register", status_code=HTTPStatus.ACCEPTED, responses=_SENDING, dependencies=[Anyone]
)
async def register(held: ServicesDep, request: Request, body: RegistrationBody) -> SentOut:
    """Open an account. A link is sent to the address; once it is followed, log in. Of an address
    that has an account the answer is the same, and its owner is told by mail.
    """
    await accounts.register(held, client_of(request), body)
    return SentOut()


@router.post(
    "/resend-verification",
    status_code=HTTPStatus.ACCEPTED,
    responses=_SENDING,
    dependencies=[Anyone],
)
async def resend_verification(held: ServicesDep, request: Request, body: EmailBody) -> SentOut:
    """Have the link that confirms an address sent again, if that is still to do."""
    await accounts.send_verification(held, client_of(request), body.email)
    return SentOut()


@router.post("/verify-email", responses=_FOLLOWING, dependencies=[Anyone])
async def verify_email(held: ServicesDep, request: Request, body: TokenBody) -> DoneOut:
    """Confirm an address with the token of the link. Then log in."""
    await accounts.verify_email(held, client_of(request), body.token)
    return DoneOut()


@router.post(
    "/forgot-password", status_code=HTTPStatus.ACCEPTED, responses=_SENDING, dependencies=[Anyone]
)
async def forgot_password(held: ServicesDep, request: Request, body: EmailBody) -> SentOut:
    """Have a link for a new password sent, good once and for half an hour."""
    await accounts.forgot_password(held, client_of(request), body.email)
    return SentOut()


@router.post("/reset-password", responses=_SENDING, dependencies=[Anyone])
async def reset_password(held: ServicesDep, request: Request, body: NewPasswordBody) -> DoneOut:
    """Set a password with the token of the link. Every session ends: log in with the new one."""
    await accounts.reset_password(held, client_of(request), body.token, body.password)
    return DoneOut()


@router.post("/change-password", responses=_WITH_PASSWORD)
async def change_password(
    held: ServicesDep, request: Request, who: ActsOnProfile, body: ChangePasswordBody
) -> LoginOut:
    """Set another password. Every session ends; go on with the tokens of the answer."""
    return await accounts.change_password(
        held, client_of(request), who, body.password, body.new_password
    )


@router.post("/change-email", status_code=HTTPStatus.ACCEPTED, responses=_WITH_PASSWORD)
async def change_email(
    held: ServicesDep, request: Request, who: ActsOnProfile, body: ChangeEmailBody
) -> SentOut:
    """Ask for another address: a link is sent there, and word of it to the present one."""
    await accounts.change_email(held, client_of(request), who, body.password, body.new_email)
    return SentOut()


@router.post(
    "/confirm-email-change",
    responses=_FOLLOWING | problems(HTTPStatus.CONFLICT),
    dependencies=[Anyone],
)
async def confirm_email_change(held: ServicesDep, request: Request, body: TokenBody) -> DoneOut:
    """Have the new address with the token of the link. Log in with it from now on."""
    await accounts.confirm_email_change(held, client_of(request), body.token)
    return DoneOut()


@router.post(
    "/send-otp",
    status_code=HTTPStatus.ACCEPTED,
    responses=_CODES | problems(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def send_otp(
    held: ServicesDep, request: Request, who: ActsOnProfile, body: SendCodeBody
) -> SentOut:
    """Have a code sent by SMS, good for ten minutes; one that was sent before is not good then."""
    await phones.send_code(held, client_of(request), who, body.phone)
    return SentOut()


@router.post("/verify-otp", responses=_CODES)
async def verify_otp(
    held: ServicesDep, request: Request, who: ActsOnProfile, body: CodeBody
) -> DoneOut:
    """Prove with the code that a phone is the caller's: it is the one of his profile then."""
    await phones.verify_code(held, client_of(request), who, body.code)
    return DoneOut()
