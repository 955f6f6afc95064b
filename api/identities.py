"""Which logins elsewhere open an account: linking them, looking at them, giving them up."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.auth import Principal
from api.bodies import Body, Line
from api.dependencies import Services
from api.errors import Problem, conflict, fresh_login_needed, not_found, unauthorised
from api.examples import shown
from api.examples_social import IDENTITIES, LINK
from api.views import Moment
from domain.logins import is_fresh
from domain.social import Identity, Provider, may_part
from schema.messages.base import Message
from schema.queries import people, social
from schema.queries.people import Login
from schema.tables import SocialIdentity


class LinkBody(Body):
    """What `link_required` or `email_unverified` has brought."""

    model_config = shown(LINK)

    link_token: Line


class IdentityOut(Message):
    """A login elsewhere, and the address that it had when it was linked."""

    provider: Provider
    email: str | None
    linked_at: Moment


class IdentitiesOut(Message):
    """How one may come in."""

    model_config = shown(IDENTITIES)

    has_password: bool
    identities: list[IdentityOut]


async def keep(held: Services, identity: Identity, owner: UUID | None) -> str:
    """A token for linking an identity, to the account of its `owner` alone where there is one.

    It may come twice: an identity opens one account at most, so that again is no more than once.
    """
    token = secrets.token_urlsafe(32)
    await held.social_links.keep(
        token,
        {
            "provider": identity.provider,
            "subject": identity.subject,
            "email": identity.email or "",
            "owner": str(owner) if owner else "",
        },
    )
    return token


async def link(held: Services, who: Principal, token: str) -> IdentitiesOut:
    """Let an identity open the account of who has just logged in, and proved by that that it is
    his: a stolen token alone opens no way in that stays.

    Raises Problem `fresh_login_needed`, `unknown_link_token` and `already_linked`.
    """
    if not is_fresh(who.logged_in_at, datetime.now(UTC)):
        raise fresh_login_needed()
    user_id = who.user_id
    kept = await held.social_links.look(token)
    if kept is None or kept["owner"] not in {"", str(user_id)}:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "unknown_link_token", "no link waits for you: begin again"
        )
    identity = Identity(
        Provider(kept["provider"]), kept["subject"], kept["email"] or None, False, "", ""
    )
    async with held.database.write() as session:
        login = await _locked(session, user_id)
        if (
            not await social.link(session, identity, user_id)
            and await social.user_of(session, identity) != user_id
        ):
            raise conflict(
                "already_linked",
                "it opens another account, or yours is opened by another login there",
            )
        return _told(await social.of_user(session, user_id), has_password=bool(login.password_hash))


async def of_user(held: Services, user_id: UUID) -> IdentitiesOut:
    """How somebody may come in."""
    async with held.database.read() as session:
        has_password = await people.has_password(session, user_id)
        return _told(await social.of_user(session, user_id), has_password=has_password)


async def unlink(held: Services, user_id: UUID, provider: Provider) -> IdentitiesOut:
    """Give up a login elsewhere. Raises Problem `not_found` and `last_way_in`."""
    async with held.database.write() as session:
        # Of two at once, the second sees what the first has left.
        login = await _locked(session, user_id)
        known = await social.of_user(session, user_id)
        if provider not in {identity.provider for identity in known}:
            raise not_found("login elsewhere")
        if not may_part(len(known), has_password=bool(login.password_hash)):
            raise conflict("last_way_in", "set a password first, or nobody gets in any more")
        await social.unlink(session, user_id, provider)
        return _told(await social.of_user(session, user_id), has_password=bool(login.password_hash))


async def _locked(session: AsyncSession, user_id: UUID) -> Login:
    login = await people.locked_login(session, user_id)
    if login is None:
        raise unauthorised("the account is gone")
    return login


def _told(known: Sequence[SocialIdentity], *, has_password: bool) -> IdentitiesOut:
    return IdentitiesOut(
        has_password=has_password,
        identities=[
            IdentityOut(provider=one.provider, email=one.email, linked_at=one.linked_at)
            for one in known
        ],
    )
