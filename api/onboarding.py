"""Sending payees to Stripe, and letting them come back."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import jwt

from api.auth import Principal
from api.dependencies import Services
from api.errors import not_found
from domain.payees import PayeeKind
from schema.messages.payees import LinkAsk, OnboardingLink, PayeeRef
from schema.queries import payees
from schema.tables import Role
from settings import Settings

# Whoever holds a refresh address can get at a payee's page at Stripe: long enough for filling in
# forms, no longer.
LIFE = timedelta(hours=1)

# Neither is a token for the other purpose: an access token has a key of its own, no audience.
_ALGORITHM = "HS256"
_AUDIENCE = "stripe-refresh"

_RETURN_PATH = "/api/v1/stripe/return"
_REFRESH_PATH = "/api/v1/stripe/refresh"


class Refresh(NamedTuple):
    """What a refresh address says: who goes on, and where he goes afterwards."""

    payee: PayeeRef
    return_url: str


async def must_be_himself(held: Services, payee: PayeeRef, who: Principal) -> None:
    """404 unless the caller is that chef or driver, or an admin."""
    async with held.database.read() as session:
        found = await payees.payee(session, payee)
    if found is None or (who.role is not Role.ADMIN and found.user_id != who.user_id):
        raise not_found(payee.kind)


async def link(
    held: Services, payee: PayeeRef, return_url: str | None, refresh_url: str | None = None
) -> OnboardingLink:
    """A new page of Stripe's for a payee. Raises Refused, EngineBusy."""
    coming_back = return_url or held.settings.public_base_url + _RETURN_PATH
    again = refresh_url or _refresh_url(held.settings, Refresh(payee, coming_back))
    return await held.engine.payees.onboard(
        payee, LinkAsk(return_url=coming_back, refresh_url=again)
    )


def read_refresh(token: str, settings: Settings) -> Refresh:
    """What a token of a refresh address says. Raises jwt.InvalidTokenError."""
    claims = jwt.decode(
        token,
        settings.jwt_secret.get_secret_value(),
        [_ALGORITHM],
        issuer=settings.jwt_issuer,
        audience=_AUDIENCE,
        options={"require": ["sub", "kind", "return_url", "exp", "iat", "iss", "aud"]},
    )
    payee = PayeeRef(kind=PayeeKind(claims["kind"]), payee_id=UUID(claims["sub"]))
    return Refresh(payee, claims["return_url"])


def _refresh_url(settings: Settings, refresh: Refresh) -> str:
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "sub": str(refresh.payee.payee_id),
        "kind": refresh.payee.kind.value,
        "return_url": refresh.return_url,
        "iat": now,
        "exp": now + LIFE,
        "iss": settings.jwt_issuer,
        "aud": _AUDIENCE,
    }
    token = jwt.encode(claims, settings.jwt_secret.get_secret_value(), _ALGORITHM)
    return f"{settings.public_base_url}{_REFRESH_PATH}?{urlencode({'token': token})}"
