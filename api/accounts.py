"""Accounts: opened, confirmed, found again when a password is forgotten, known by another address.

Nothing here tells which addresses there are: of a known and an unknown one the same is written, the
same takes place, and the same is answered. Who an address belongs to learns it by mail.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api import letters, sessions
from api.auth import Principal, check_password, hashed
from api.dependencies import Services
from api.errors import Problem, conflict, fresh_login_needed, invalid, unauthorised
from api.identity_bodies import RegistrationBody
from api.logins import count
from api.views import LoginOut
from domain import challenges as rules
from domain.challenges import Purpose
from domain.logins import is_fresh
from schema.queries import accounts, challenges, people, social
from schema.queries.accounts import Owner, Registration
from schema.queries.challenges import Redeemed
from schema.tables import Role

# Links that went to an address, or were asked for with a password, that is not the user's any more.
_LINKS = (Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)


async def register(held: Services, client: str, body: RegistrationBody) -> None:
    """Open an account, and send a link that confirms the address; to whom it belongs already, word
    of that. Raises Problem, EngineBusy.
    """
    await count(held, "register", client, body.email)
    async with held.database.read() as session:
        before = await people.login(session, body.email)
    # Of an unknown address it takes as long.
    is_same = (await check_password(body.password, before)).is_right
    new = Registration(
        email=body.email,
        password_hash=await hashed(body.password),
        role=Role(body.role),
        first_name=body.first_name,
        last_name=body.last_name,
        phone=body.phone,
        language=body.language,
    )
    async with held.database.write() as session:
        user_id = await accounts.register(session, new)
        if user_id is not None:
            await _send_verification(held, session, (user_id, new.email))
            return
        owner = await accounts.owner(session, new.email)
        if owner is not None and _is_unconfirmed(owner):
            # Of two who say other passwords one has a stranger's address, and whoever confirms it
            # must not let him in: he sets a password when he has.
            if not is_same or before is None or before.password_hash != owner.password_hash:
                new = new._replace(password_hash=None)
            await accounts.register_again(session, owner.id, new)
            await challenges.void(session, owner.id, [Purpose.VERIFY_EMAIL], datetime.now(UTC))
            await _send_verification(held, session, _address(owner))
        else:
            await letters.post(held, session, Purpose.ALREADY_REGISTERED, to=_address(owner))


async def send_verification(held: Services, client: str, email: str) -> None:
    """Send the link that confirms an address again, where that is still to do."""
    await count(held, "verification", client, email)
    async with held.database.write() as session:
        owner = await accounts.owner(session, email)
        waits = owner is not None and not owner.is_verified
        await _send_verification(held, session, _address(owner) if waits else None)


async def verify_email(held: Services, client: str, token: str) -> None:
    """Confirm an address by its link. Raises Problem."""
    await count(held, "link", client)
    async with held.database.write() as session:
        link = await _redeemed(held, session, token, Purpose.VERIFY_EMAIL)
        if not await accounts.verify(session, link.user_id, link.sent_to):
            raise _not_valid()


async def forgot_password(held: Services, client: str, email: str) -> None:
    """Send a link for a new password."""
    await count(held, "forgot", client, email)
    lasting = timedelta(seconds=held.settings.reset_seconds)
    async with held.database.write() as session:
        owner = await accounts.owner(session, email)
        await letters.post(
            held, session, Purpose.RESET_PASSWORD, to=_address(owner), lasting=lasting
        )


async def reset_password(held: Services, client: str, token: str, password: str) -> None:
    """Set a password by a link, which proves the address, too; every session ends. Raises Problem,
    EngineBusy.
    """
    await count(held, "link", client)
    if rules.read_link_token(_secret(held), token, Purpose.RESET_PASSWORD) is None:
        raise _not_valid()
    password_hash = await hashed(password)
    async with held.database.write() as session:
        link = await _redeemed(held, session, token, Purpose.RESET_PASSWORD)
        if not await accounts.verify(session, link.user_id, link.sent_to):
            raise _not_valid()
        await _set_password(held, session, (link.user_id, link.sent_to), password_hash)
    await held.attempts.forgive("login", account=link.sent_to, client=client)


async def change_password(
    held: Services, client: str, who: Principal, password: str, new: str
) -> LoginOut:
    """Set another password; every session ends, a new one begins. Raises Problem, EngineBusy."""
    login = await with_password(held, client, who, password)
    password_hash = await hashed(new)
    async with held.database.write() as session:
        now = await people.locked_login(session, who.user_id)
        if now is None or now.password_hash != login.password_hash:
            raise unauthorised("the account has changed meanwhile")
        await _set_password(held, session, (now.id, now.email), password_hash)
        opened = await sessions.begin(held, session, now)
    return sessions.logged_in(held, opened)


async def change_email(
    held: Services, client: str, who: Principal, password: str, email: str
) -> None:
    """Send a link to another address and word of it to the present one. Raises Problem,
    EngineBusy.
    """
    login = await with_password(held, client, who, password)
    if login.email.lower() == email.lower():
        raise invalid("newEmail", "same_email", "that is your address already")
    lasting = timedelta(seconds=held.settings.verification_seconds)
    async with held.database.write() as session:
        now = await people.locked_login(session, who.user_id)
        if now is None or now.password_hash != login.password_hash:
            raise unauthorised("the account has changed meanwhile")
        taken = await accounts.owner_of(session, email)
        if taken is None:
            there = (who.user_id, email)
            await letters.post(held, session, Purpose.CHANGE_EMAIL, to=there, lasting=lasting)
        else:
            await letters.post(held, session, Purpose.ALREADY_REGISTERED, to=_address(taken))
        await letters.post(held, session, Purpose.EMAIL_CHANGING, to=(login.id, login.email))


async def confirm_email_change(held: Services, client: str, token: str) -> None:
    """Give an account the address that its link went to. Raises Problem."""
    await count(held, "link", client)
    try:
        async with held.database.write() as session:
            link = await _redeemed(held, session, token, Purpose.CHANGE_EMAIL)
            if not await accounts.change_email(session, link.user_id, link.sent_to):
                raise _email_taken()
            await challenges.void(session, link.user_id, _LINKS, datetime.now(UTC))
    except IntegrityError as error:
        raise _email_taken() from error


async def himself(held: Services, client: str, who: Principal, password: str | None) -> None:
    """Make sure that it is the caller himself, by his password, or by a login just now where there
    is none. Raises Problem.
    """
    if password is not None:
        await with_password(held, client, who, password)
        return
    async with held.database.read() as session:
        has_password = await people.has_password(session, who.user_id)
    if has_password:
        raise invalid("password", "password_needed", "this account has a password: say it")
    if not is_fresh(who.logged_in_at, datetime.now(UTC)):
        raise fresh_login_needed()


async def with_password(held: Services, client: str, who: Principal, password: str) -> people.Login:
    """Who is asking, if the password is his: a stolen token alone is not enough. Raises Problem."""
    account = str(who.user_id)
    await count(held, "password", client, account)
    async with held.database.read() as session:
        login = await people.login_of(session, who.user_id)
    checked = await check_password(password, login)
    if login is None:
        raise unauthorised("the account is gone")
    if not checked.is_right:
        raise Problem(
            HTTPStatus.FORBIDDEN, "wrong_password", "that is not the password of this account"
        )
    await held.attempts.forgive("password", account=account, client=client)
    return login


async def _set_password(
    held: Services, session: AsyncSession, to: tuple[UUID, str], password_hash: str
) -> None:
    """Of a user whose row is locked."""
    user_id, _ = to
    await people.set_password(session, user_id, password_hash)
    await social.forget(session, user_id)
    await challenges.void(session, user_id, _LINKS, datetime.now(UTC))
    await letters.post(held, session, Purpose.PASSWORD_CHANGED, to=to)
    await sessions.end_all(held, session, user_id)


async def _send_verification(
    held: Services, session: AsyncSession, to: tuple[UUID, str] | None
) -> None:
    lasting = timedelta(seconds=held.settings.verification_seconds)
    await letters.post(held, session, Purpose.VERIFY_EMAIL, to=to, lasting=lasting)


async def _redeemed(
    held: Services, session: AsyncSession, token: str, purpose: Purpose
) -> Redeemed:
    """Use a link, its user's row locked."""
    challenge_id = rules.read_link_token(_secret(held), token, purpose)
    if challenge_id is None:
        raise _not_valid()
    user_id = await challenges.owner(session, challenge_id)
    if user_id is None:
        raise _not_valid()
    await people.lock(session, user_id)
    link = await challenges.redeem(session, challenge_id, purpose, datetime.now(UTC))
    if link is None:
        raise _not_valid()
    return link


def _is_unconfirmed(owner: Owner) -> bool:
    """Whether nobody has ever been in this account."""
    return owner.is_active and not owner.is_verified and owner.role is not Role.ADMIN


def _address(owner: Owner | None) -> tuple[UUID, str] | None:
    return (owner.id, owner.email) if owner is not None and owner.is_active else None


def _secret(held: Services) -> str:
    return held.settings.jwt_secret.get_secret_value()


def _not_valid() -> Problem:
    return invalid(
        "token", "link_not_valid", "this link was used, is too old, or is not one of ours"
    )


def _email_taken() -> Problem:
    return conflict("email_taken", "there is an account with this address")
