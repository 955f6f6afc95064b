"""Proving that a phone is one's own, by a code that is sent to it."""

import hmac
from datetime import UTC, datetime, timedelta

from api import letters
from api.auth import Principal
from api.dependencies import Services
from api.errors import conflict, invalid
from api.logins import count
from domain import challenges as rules
from domain.challenges import Purpose
from schema.queries import accounts, challenges, people


async def send_code(held: Services, client: str, who: Principal, phone: str | None) -> None:
    """Send a code to a phone, in place of any before. Raises Problem, EngineBusy."""
    if not held.settings.twilio_account_sid:
        raise conflict("sms_not_available", "no SMS are sent here")
    async with held.database.read() as session:
        number = phone or await accounts.phone(session, who.user_id)
    if number is None:
        raise invalid("phone", "no_phone", "your profile has no phone: give one")
    await count(held, "code", client, str(who.user_id))
    # Whoever has many accounts does not get a stranger's phone to ring all night.
    await count(held, "phone", client, number)
    lasting = timedelta(seconds=held.settings.code_seconds)
    async with held.database.write() as session:
        await people.lock(session, who.user_id)
        await challenges.void(session, who.user_id, [Purpose.VERIFY_PHONE], datetime.now(UTC))
        await letters.post(
            held, session, Purpose.VERIFY_PHONE, to=(who.user_id, number), lasting=lasting
        )


async def verify_code(held: Services, client: str, who: Principal, code: str) -> None:
    """Take a code for a phone; five guesses at most. Raises Problem."""
    account = str(who.user_id)
    await count(held, "guess", client, account)
    async with held.database.write() as session:
        await people.lock(session, who.user_id)
        now = datetime.now(UTC)
        waiting = await challenges.to_guess(session, who.user_id, now)
        is_right = False
        if waiting is not None:
            secret = held.settings.jwt_secret.get_secret_value()
            right = rules.code(secret, waiting, Purpose.VERIFY_PHONE)
            is_right = hmac.compare_digest(right, code)
            number = await challenges.note_guess(session, waiting, now, is_right=is_right)
            if is_right:
                await accounts.verify_phone(session, who.user_id, number)
    if waiting is None:
        raise conflict("no_code", "there is no code to type in any more: have another one sent")
    if not is_right:
        raise invalid("code", "wrong_code", "that is not the code of the last SMS")
    await held.attempts.forgive("guess", account=account, client=client)
