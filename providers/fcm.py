"""Push to apps, by Firebase Cloud Messaging's HTTP v1 API.

FCM takes the same message as often as it is handed over; its key, as tag and collapse id, makes a
second copy take the place of the first on the phone.
"""

import asyncio
import time
from http import HTTPStatus
from typing import Any

import httpx
import jwt
from pydantic import BaseModel, SecretStr

from providers.push import Push
from providers.sending import says, unanswered

_FCM = "https://fcm.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTED_SECONDS = 3600
# A token is not used any more so long before it ends.
_MARGIN_SECONDS = 60

# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode: gone, or another project's.
_DEAD = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})
_NEVER = frozenset({HTTPStatus.BAD_REQUEST})


class ServiceAccount(BaseModel):
    """What Firebase's console hands out as a JSON file."""

    project_id: str
    client_email: str
    private_key: SecretStr
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


class Fcm:
    """A Firebase project that we may send pushes for."""

    def __init__(
        self, account: ServiceAccount, *, base_url: str | None, timeout_seconds: float
    ) -> None:
        self._account = account
        self._url = f"{base_url or _FCM}/v1/projects/{account.project_id}/messages:send"
        self._http = httpx.AsyncClient(timeout=timeout_seconds)
        self._access = ""
        self._until = 0.0
        self._alone = asyncio.Lock()

    async def send(self, token: str, push: Push) -> str:
        """Hand a push over for the device of a registration token; the answer is its name at FCM.

        Raises Away, Refused.
        """
        access = await self._token()
        try:
            answer = await self._http.post(
                self._url,
                json={"message": _message(token, push)},
                headers={"Authorization": f"Bearer {access}"},
            )
        except httpx.HTTPError as error:
            raise unanswered("FCM", error) from None
        if answer.is_success:
            return str(answer.json().get("name", ""))
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._until = 0.0
        raise says("FCM", answer, never=_NEVER, is_dead=_is_dead(answer))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _token(self) -> str:
        """An access token that is still good."""
        async with self._alone:
            if time.monotonic() >= self._until:
                await self._renew()
            return self._access

    async def _renew(self) -> None:
        account, now = self._account, int(time.time())
        asserted = {
            "iss": account.client_email,
            "scope": _SCOPE,
            "aud": account.token_uri,
            "iat": now,
            "exp": now + _ASSERTED_SECONDS,
        }
        signed = jwt.encode(asserted, account.private_key.get_secret_value(), algorithm="RS256")
        try:
            answer = await self._http.post(
                account.token_uri, data={"grant_type": _GRANT, "assertion": signed}
            )
        except httpx.HTTPError as error:
            # No message was on its way yet.
            away = unanswered("Google", error)
            away.may_have_worked = False
            raise away from None
        if not answer.is_success:
            raise says("Google", answer, never=frozenset())
        given = answer.json()
        self._access = given["access_token"]
        self._until = time.monotonic() + float(given["expires_in"]) - _MARGIN_SECONDS


def _message(token: str, push: Push) -> dict[str, Any]:
    seconds = max(int(push.good_for.total_seconds()), 0)
    return {
        "token": token,
        "notification": {"title": push.title, "body": push.line},
        "data": {**push.data, "key": push.key},
        "android": {
            "priority": "HIGH" if push.urgent else "NORMAL",
            "ttl": f"{seconds}s",
            "notification": {"tag": push.key},
        },
        "apns": {
            "headers": {
                "apns-priority": "10" if push.urgent else "5",
                "apns-expiration": str(int(time.time()) + seconds),
                "apns-collapse-id": push.key,
            }
        },
    }


def _is_dead(answer: httpx.Response) -> bool:
    """Whether the device is not there any more, or never was."""
    try:
        error = answer.json()["error"]
        details = error.get("details", [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    if any(detail.get("errorCode") in _DEAD for detail in details):
        return True
    # An argument that is wrong may be any of ours: only one that is the token speaks of the device.
    fields = [wrong["field"] for one in details for wrong in one.get("fieldViolations", ())]
    return "message.token" in fields or "not a valid FCM registration token" in error.get(
        "message", ""
    )
