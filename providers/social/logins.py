"""The providers that an operator has a client at."""

from collections.abc import Mapping

import httpx

from domain.social import Client, Identity, Provider
from providers.social.endpoints import REAL
from providers.social.oauth import SocialLogin, Verifier


class SocialLogins:
    """Those providers, or what stands in for them. Raises ValueError for a key that is none."""

    def __init__(self, clients: Mapping[Provider, Client], *, timeout_seconds: float) -> None:
        self._http = httpx.AsyncClient(timeout=timeout_seconds)
        self._logins: dict[Provider, SocialLogin] = {}
        for provider, client in clients.items():
            real = REAL[provider]
            at = real.at(client.base_url.rstrip("/")) if client.base_url else real
            self._logins[provider] = SocialLogin(provider, client, at, self._http)

    def __contains__(self, provider: Provider) -> bool:
        """Whether one can log in there."""
        return provider in self._logins

    def address(self, provider: Provider, redirect_uri: str, state: str, verifier: Verifier) -> str:
        """Where somebody is sent to log in."""
        return self._logins[provider].address(redirect_uri, state, verifier)

    async def identity(
        self, provider: Provider, code: str, redirect_uri: str, verifier: Verifier
    ) -> Identity:
        """Who has come back with a code. Raises SocialAway and SocialRefused."""
        return await self._logins[provider].identity(code, redirect_uri, verifier)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()
