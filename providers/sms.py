"""SMS, by Twilio's Messages API."""

from collections.abc import Collection
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from providers.sending import says, unanswered

_TWILIO = "https://api.twilio.com"

# https://www.twilio.com/docs/api/errors: not a number, one that has said STOP, one that takes no
# messages.
_DEAD = frozenset({21211, 21610, 21614})
_NEVER = frozenset({HTTPStatus.BAD_REQUEST})
# Twilio's clock and ours.
_SKEW = timedelta(minutes=1)


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

    async def send(self, to: str, words: str) -> str:
        """Hand a message to Twilio; the answer is its id there. Raises Away, Refused."""
        message = {"To": to, "From": self._sender, "Body": words}
        try:
            answer = await self._http.post(self._path, data=message)
        except httpx.HTTPError as error:
            raise unanswered("Twilio", error) from None
        if answer.is_success:
            return str(answer.json().get("sid", ""))
        # What is not wrong with the message is ours to mend, or passes.
        raise says("Twilio", answer, never=_NEVER, is_dead=_code(answer) in _DEAD)

    async def sent(
        self, to: str, words: str, since: datetime, others: Collection[str] = ()
    ) -> str | None:
        """The id of a message that Twilio has taken since: Twilio knows no idempotency, but what it
        has taken can be looked up. One of the `others` that says the same is not it. Raises Away.
        """
        asked: dict[str, str | int] = {
            "To": to,
            "DateSent>": f"{since - _SKEW:%Y-%m-%d}",
            "PageSize": 100,
        }
        try:
            answer = (await self._http.get(self._path, params=asked)).raise_for_status()
        except httpx.HTTPError as error:
            raise unanswered("Twilio", error) from None
        return next(
            (
                one["sid"]
                for one in answer.json()["messages"]
                if _is(one, words, since) and one["sid"] not in others
            ),
            None,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _code(answer: httpx.Response) -> int | None:
    try:
        code: int | None = answer.json().get("code")
    except (ValueError, AttributeError):
        return None
    return code


def _is(message: dict[str, str], words: str, since: datetime) -> bool:
    made = parsedate_to_datetime(message["date_created"])
    return message["body"] == words and made >= since - _SKEW and message["status"] != "failed"
