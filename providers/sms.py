"""SMS, by Twilio's Messages API."""

from http import HTTPStatus

import httpx

_TWILIO = "https://api.twilio.com"


class SmsAway(Exception):
    """Twilio does not take a message now. Its words are not told: they name the number."""


class SmsRefused(Exception):
    """Twilio will never take this message."""


class Sms:
    """An account at Twilio, and the number or sender that its messages come from."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        base_url: str | None,
        timeout_seconds: float,
    ) -> None:
        self._path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._sender = sender
        self._http = httpx.AsyncClient(
            base_url=base_url or _TWILIO,
            auth=httpx.BasicAuth(account_sid, auth_token),
            timeout=timeout_seconds,
        )

    async def send(self, to: str, words: str) -> None:
        """Hand a message to Twilio. Raises SmsAway, SmsRefused."""
        message = {"To": to, "From": self._sender, "Body": words}
        try:
            answer = await self._http.post(self._path, data=message)
        except httpx.HTTPError as error:
            raise SmsAway(f"Twilio does not answer: {type(error).__name__}") from None
        if answer.is_success:
            return
        words = f"Twilio says {answer.status_code}"
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            raise SmsRefused(words)
        # Anything else is ours to mend, or passes.
        raise SmsAway(words)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
