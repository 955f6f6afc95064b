"""Letting somebody in by address and password; nobody is told which addresses there are."""

from http import HTTPStatus

from api import sessions
from api.auth import Checked, check_password
from api.dependencies import Services
from api.errors import Problem
from api.views import LoginOut
from providers.attempts import TooMany
from schema.queries import people


async def count(held: Services, what: str, client: str, account: str | None = None) -> None:
    """Count an attempt, before it is known how it ends. Raises Problem `too_many_attempts`."""
    try:
        await held.attempts.count(what, account=account, client=client)
    except TooMany as error:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_attempts",
            "too many attempts: wait before the next one",
            headers={"Retry-After": str(int(error.wait_seconds) + 1)},
        ) from error


async def proven(
    held: Services, client: str, email: str, password: str
) -> tuple[people.Login, Checked]:
    """Whoever has this address and password.

    Raises Problem `bad_credentials`, also where the address is not confirmed yet: whoever has just
    registered it would learn whether somebody else had, and `too_many_attempts`.
    """
    await count(held, "login", client, email)
    async with held.database.read() as session:
        login = await people.login(session, email)
    checked = await check_password(password, login)
    if login is None or not checked.is_right or not login.is_verified:
        raise _bad_credentials()
    await held.attempts.forgive("login", account=email, client=client)
    return login, checked


async def log_in(held: Services, client: str, email: str, password: str) -> LoginOut:
    """A new session for whoever has this address and password. Raises as `proven` does."""
    login, checked = await proven(held, client, email, password)
    async with held.database.write() as session:
        now = await people.locked_login(session, login.id)
        if now is None or now.password_hash != login.password_hash:
            # Suspended, or given another password, while this one was being checked.
            raise _bad_credentials()
        if checked.better_hash is not None:
            await people.set_password(session, login.id, checked.better_hash)
        opened = await sessions.begin(held, session, now)
    return sessions.logged_in(held, opened)


def _bad_credentials() -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "bad_credentials",
        "no such email address and password, or the address is not confirmed yet",
    )
