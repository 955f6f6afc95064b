"""Logging in by Google, Facebook or Apple (seed 004, sections 6.1 and 7.1): out to the provider,
back with a code, and in.

An app begins a login and is told a `state`, which goes to the provider and comes back, and a
`binding`, which does not: only who has both may go on, so that nobody can be made to finish a login
that somebody else has begun.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import structlog
from pydantic import BaseModel, StringConstraints, ValidationError

from api import identities, sessions
from api.bodies import Body
from api.dependencies import Services
from api.errors import Problem, conflict, invalid, not_found, unavailable
from api.examples import shown
from api.examples_social import LOGIN, POSTED_BACK, STARTED, STARTING
from api.views import LoginOut
from domain.social import Identity, Provider
from providers.social import SocialAway, SocialRefused, Verifier, clean
from schema.messages.base import Message
from schema.queries import people, social

# Those of the providers are some hundred characters.
Opaque = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[!-~]+$")]

_Told = Annotated[str, StringConstraints(max_length=2000)]

# Where nobody says how somebody is called.
_NAMELESS = "Customer"

_log = structlog.get_logger()


class StartBody(Body):
    """Where the app goes on when somebody comes back: one of the operator's list."""

    model_config = shown(STARTING)

    redirect_uri: Opaque


class StartedOut(Message):
    """Send the browser to `authorizationUrl`; keep `state` and `binding` in the app, for so many
    seconds.
    """

    model_config = shown(STARTED)

    authorization_url: str
    state: str
    binding: str
    expires_in: int


class SocialLoginBody(Body):
    """The code and the state that came back, and the binding that did not."""

    model_config = shown(LOGIN)

    provider: Provider
    code: Opaque
    state: Opaque
    binding: Opaque


class PostedBack(BaseModel):
    """What Apple has a browser send: a form, which may have more in it. `user` is JSON."""

    model_config = shown(POSTED_BACK)

    state: _Told = ""
    code: _Told = ""
    error: _Told = ""
    user: _Told = ""


async def start(held: Services, provider: Provider, redirect_uri: str) -> StartedOut:
    """Begin a login. Raises Problem `not_found` and `redirect_uri_not_allowed`."""
    if provider not in held.social:
        raise not_found("provider")
    if redirect_uri not in held.settings.social_redirect_uris:
        raise invalid("redirectUri", "redirect_uri_not_allowed", "it is none of ours")
    state, binding = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    verifier = Verifier(secrets.token_urlsafe(48), secrets.token_urlsafe(32))
    await held.social_states.keep(
        state,
        {
            "provider": provider,
            "redirect_uri": redirect_uri,
            "binding": _digest(binding),
            "code_verifier": verifier.code_verifier,
            "nonce": verifier.nonce,
        },
    )
    return StartedOut(
        authorization_url=held.social.address(provider, _callback(held, provider), state, verifier),
        state=state,
        binding=binding,
        expires_in=held.social_states.seconds,
    )


async def come_back(held: Services, provider: Provider, answer: Mapping[str, str]) -> str:
    """Where the app goes on, with what a provider has sent a browser back with.

    Raises Problem `unknown_state`.
    """
    state = answer.get("state", "")
    begun = await held.social_states.look(state)
    if begun is None or begun["provider"] != provider:
        raise _unknown_state()
    first_name, last_name = _told_once(answer.get("user", ""))
    if first_name or last_name:
        names = {"first_name": first_name, "last_name": last_name}
        await held.social_states.add(state, names)
    told = {name: answer[name] for name in ("code", "error") if answer.get(name)}
    redirect_uri = begun["redirect_uri"]
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{separator}{urlencode({**told, 'state': state})}"


async def log_in(held: Services, body: SocialLoginBody) -> LoginOut:
    """Let somebody in by the word of a provider, at the first time into an account made for him.

    Raises Problem `unknown_state`, `social_login_failed`, `link_required`, `email_unverified` and,
    as long as the provider does not answer, `temporarily_unavailable`.
    """
    async with _taken(held, body) as begun:
        identity = _known(begun) or await _identity(held, body, begun)
        # A code is good once: the same request again has to do without.
        begun["identity"] = json.dumps(identity)
        # Of two at once the second finds what the first has made.
        for _ in range(2):
            async with held.database.read() as session:
                user_id = await social.user_of(session, identity)
            user_id = user_id or await _new_account(held, identity)
            if user_id is not None:
                return await _let_in(held, user_id)
    raise unavailable("somebody else has just logged in so")


@asynccontextmanager
async def _taken(held: Services, body: SocialLoginBody) -> AsyncIterator[dict[str, str]]:
    """What was kept of a login, for this request alone; put back where something is away, so that
    the same request may come again.
    """
    begun = await held.social_states.take(body.state)
    if (
        begun is None
        or begun["provider"] != body.provider
        or not hmac.compare_digest(begun["binding"], _digest(body.binding))
    ):
        raise _unknown_state()
    try:
        yield begun
    except Problem:
        raise
    except SocialAway as error:
        await held.social_states.keep(body.state, begun)
        _log.warning("a login elsewhere waits", provider=body.provider, error=str(error))
        raise unavailable("the provider does not answer") from error
    except Exception:
        await held.social_states.keep(body.state, begun)
        raise


def _known(begun: Mapping[str, str]) -> Identity | None:
    """Who came back with a request that has come before."""
    if "identity" not in begun:
        return None
    provider, *rest = json.loads(begun["identity"])
    return Identity(Provider(provider), *rest)


async def _identity(held: Services, body: SocialLoginBody, begun: Mapping[str, str]) -> Identity:
    if body.provider not in held.social:
        raise _unknown_state()
    verifier = Verifier(begun["code_verifier"], begun["nonce"])
    redirect_uri = _callback(held, body.provider)
    try:
        identity = await held.social.identity(body.provider, body.code, redirect_uri, verifier)
    except SocialRefused as error:
        _log.warning("a login elsewhere is refused", provider=body.provider, error=str(error))
        raise _failed() from error
    return identity._replace(
        first_name=identity.first_name or begun.get("first_name") or _NAMELESS,
        last_name=identity.last_name or begun.get("last_name", ""),
    )


async def _new_account(held: Services, identity: Identity) -> UUID | None:
    """An account for somebody who comes for the first time; None where another request makes it.

    Raises Problem `link_required` where his address has one, which is told to nobody who has not
    just proved that it is his; and `email_unverified`, whether there is one or not.
    """
    if not identity.owns_address or identity.email is None:
        token = await identities.keep(held, identity, None)
        raise conflict(
            "email_unverified",
            "the provider does not say that the address is yours: log in or register with it"
            " here, then link",
            linkToken=token,
        )
    async with held.database.write() as session:
        owner = await social.owner(session, identity.email)
        made = None if owner else await social.make_account(session, identity, identity.email)
        if made is not None and await social.link(session, identity, made):
            return made
        # Another request may be faster, also by another address: this account is not to be.
        await session.rollback()
    async with held.database.read() as session:
        if await social.user_of(session, identity) is not None:
            return None
        owner = await social.owner(session, identity.email)
    token = await identities.keep(held, identity, owner)
    raise conflict(
        "link_required",
        "there is an account with your address: log in with its password, then link",
        linkToken=token,
    )


async def _let_in(held: Services, user_id: UUID) -> LoginOut:
    """A new session of somebody who has come in from elsewhere."""
    async with held.database.write() as session:
        login = await people.locked_login(session, user_id)
        if login is None:
            raise _failed()
        opened = await sessions.begin(held, session, login)
    return sessions.logged_in(held, opened)


def _callback(held: Services, provider: Provider) -> str:
    """Where providers send people back to: the one address that is registered there."""
    return f"{held.settings.public_base_url}/api/v1/auth/social/{provider}/callback"


def _digest(binding: str) -> str:
    return hashlib.sha256(binding.encode()).hexdigest()


class _Name(BaseModel):
    firstName: Any = ""  # noqa: N815 - Apple's
    lastName: Any = ""  # noqa: N815 - Apple's


class _User(BaseModel):
    name: _Name = _Name()


def _told_once(user: str) -> tuple[str, str]:
    """Somebody's name, which Apple sends along when he comes for the first time, and never again.

    Nobody has signed it: it is what he is called, not who he is.
    """
    try:
        name = _User.model_validate_json(user).name
    except ValidationError:
        return "", ""
    return clean(name.firstName), clean(name.lastName)


def _unknown_state() -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "unknown_state",
        "no login was begun with this here, or it is over: begin again",
    )


def _failed() -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "social_login_failed",
        "the provider does not let you in: begin again",
    )
