"""What people are sent to prove that an address or a phone is theirs, and what they are told about
their account. Plain text, in English.
"""

from typing import NamedTuple

from domain.challenges import Purpose


class Text(NamedTuple):
    """A letter; an SMS has no subject."""

    subject: str
    words: str


# Where the app takes a link's token.
PAGES = {
    Purpose.VERIFY_EMAIL: "/verify-email",
    Purpose.RESET_PASSWORD: "/reset-password",
    Purpose.CHANGE_EMAIL: "/confirm-email-change",
}

_TEXTS = {
    Purpose.VERIFY_EMAIL: Text(
        "Confirm your address",
        """Hello,

somebody, you we hope, has opened an account at RideNDine with this address.
Please confirm that it is yours:

{link}

If it was not you, do nothing: without this nobody can use the account.
""",
    ),
    Purpose.RESET_PASSWORD: Text(
        "A new password",
        """Hello,

here you choose a new password for RideNDine:

{link}

The link is good once, and not for long. If you did not ask for it, do nothing:
your password stays as it is.
""",
    ),
    Purpose.CHANGE_EMAIL: Text(
        "Confirm your new address",
        """Hello,

from now on RideNDine is to write to this address. Please confirm that it is
yours:

{link}

If you did not ask for it, do nothing: nothing changes.
""",
    ),
    Purpose.ALREADY_REGISTERED: Text(
        "You already have an account",
        """Hello,

somebody, you we hope, wanted to use this address for an account at RideNDine.
There is one already: just log in. If you do not remember your password, ask for
a new one there.

If it was not you, do nothing: nothing has changed.
""",
    ),
    Purpose.EMAIL_CHANGING: Text(
        "Your address is to change",
        """Hello,

somebody who knows your password has asked that RideNDine writes to another
address from now on. It changes as soon as that address is confirmed.

If it was not you, change your password now.
""",
    ),
    Purpose.PASSWORD_CHANGED: Text(
        "Your password has changed",
        """Hello,

your password at RideNDine has changed, and you are logged out everywhere else.

If it was not you, ask for a new password now: the link to it comes to this
address.
""",
    ),
    Purpose.VERIFY_PHONE: Text(
        "",
        "{code} is your RideNDine code. It is good for a few minutes. Tell it to nobody.",
    ),
}


def text(purpose: Purpose, *, link: str, code: str) -> Text:
    """What a letter says: nothing that somebody has typed in, or he could write to strangers."""
    subject, words = _TEXTS[purpose]
    return Text(subject, words.format(link=link, code=code))
