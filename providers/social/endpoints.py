"""Where the three providers are, and how each is asked."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from domain.social import Provider


@dataclass(frozen=True)
class Endpoints:
    """A provider's addresses. With `keys`, its word is an ID token, signed by one of those, from
    one of the `issuers`; without, it is what `userinfo` answers.
    """

    authorize: str
    token: str
    scope: str
    issuers: tuple[str, ...] = ()
    keys: str | None = None
    userinfo: str | None = None
    # What an app's server is called there; Apple's is a token of its own.
    audience: str = ""
    # How the answer comes back, where it is not a redirect.
    response_mode: str | None = None

    def at(self, base: str) -> "Endpoints":
        """The same on another server: its paths after `base`, which is the issuer, too."""
        moved: dict[str, Any] = {
            name: base + urlunsplit(("", "", *urlsplit(address)[2:]))
            for name in ("authorize", "token", "keys", "userinfo")
            if (address := getattr(self, name))
        }
        issuers = (base,) if self.issuers else ()
        return replace(self, issuers=issuers, audience=base if self.audience else "", **moved)


REAL = {
    Provider.GOOGLE: Endpoints(
        authorize="https://accounts.google.com/o/oauth2/v2/auth",
        token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        keys="https://www.googleapis.com/oauth2/v3/certs",
        # Google says that it writes its name in either way.
        issuers=("https://accounts.google.com", "accounts.google.com"),
        scope="openid email profile",
    ),
    Provider.FACEBOOK: Endpoints(
        authorize="https://www.facebook.com/v23.0/dialog/oauth",
        token="https://graph.facebook.com/v23.0/oauth/access_token",  # noqa: S106 - an address
        userinfo="https://graph.facebook.com/v23.0/me?fields=id,email,first_name,last_name",
        scope="email public_profile",
    ),
    Provider.APPLE: Endpoints(
        authorize="https://appleid.apple.com/auth/authorize",
        token="https://appleid.apple.com/auth/token",  # noqa: S106 - an address
        keys="https://appleid.apple.com/auth/keys",
        issuers=("https://appleid.apple.com",),
        audience="https://appleid.apple.com",
        scope="name email",
        response_mode="form_post",
    ),
}
