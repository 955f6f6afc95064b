"""Where operators read what goes on: a webhook that takes {"text": …}, such as Slack's."""

from http import HTTPStatus

import httpx

from providers.sending import says, unanswered

# Slack: not JSON, no such hook, a channel that was archived.
_NEVER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class OpsWebhook:
    """The address to post to."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._url = url
        self._http = httpx.AsyncClient(timeout=timeout_seconds)

    async def post(self, text: str) -> None:
        """Say something. Raises Away, Refused."""
        try:
            answer = await self._http.post(self._url, json={"text": _plain(text)})
        except httpx.HTTPError as error:
            raise unanswered("the ops webhook", error) from None
        if not answer.is_success:
            raise says("the ops webhook", answer, never=_NEVER)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _plain(text: str) -> str:
    """As Slack has it: nothing in a text is a link or a call for somebody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
