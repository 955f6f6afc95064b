"""Sending what the facade has written down, as long as it is of any use."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain import challenges as rules
from domain import letters
from domain.challenges import Purpose
from providers.mail import Mailing
from providers.sending import Refused
from providers.sms import Sms
from schema.database import Database
from schema.messages.letters import Letter
from schema.queries import challenges
from schema.queries.challenges import Errand
from schema.tables.columns import now

# A letter is asked for before the transaction that says what it is about is committed. Where there
# is no row by then, there will be none.
_COMMITTED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Post:
    """What letters go out with: by which ways, where their links lead, what makes them ours."""

    mail: Mailing
    sms: Sms
    app_url: str
    secret: str


class LetterActivities:
    """May be repeated after it worked: then somebody gets the same letter again."""

    def __init__(self, database: Database, post: Post) -> None:
        self._database = database
        self._post = post

    @activity.defn
    async def send_letter(self, letter: Letter) -> None:
        """Send a letter, unless it is sent, was used or made void, or is to nobody.

        Fails for good with Undeliverable. No error names the address or what was in the letter.
        """
        async with self._database.read() as session:
            errand = await challenges.errand(session, letter.challenge_id)
        if errand is None:
            if now() - activity.info().scheduled_time < _COMMITTED_WITHIN:
                raise ApplicationError("not written down yet", type="NotYet")
            return
        if errand.user_id is None or errand.is_over or errand.expires_at <= now():
            return
        try:
            await self._send(letter, errand)
        except Refused as error:
            raise ApplicationError(str(error), type="Undeliverable", non_retryable=True) from None
        async with self._database.write() as session:
            await challenges.note_sent(session, letter.challenge_id, now())

    async def _send(self, letter: Letter, errand: Errand) -> None:
        post, purpose, number = self._post, errand.purpose, letter.challenge_id
        token = rules.link_token(post.secret, number, purpose)
        text = letters.text(
            purpose,
            link=f"{post.app_url}{letters.PAGES.get(purpose, '')}?{urlencode({'token': token})}",
            code=rules.code(post.secret, number, purpose),
            language=errand.language,
        )
        if purpose is Purpose.VERIFY_PHONE:
            await post.sms.send(errand.sent_to, text.words)
        else:
            await post.mail.send(str(number), errand.sent_to, text.subject, text.words, text.html)
