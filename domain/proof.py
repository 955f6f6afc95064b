"""What shows that an order was handed over, as its customer asked for when he placed it.

A code is four digits that he alone is shown and that he tells the driver at the door; a photo is
the driver's, of what he leaves there.
"""

import hmac
from dataclasses import dataclass
from enum import StrEnum

# So often may be guessed: one chance in two thousand with a code of four digits.
MOST_WRONG_CODES = 5


class ProofKind(StrEnum):
    """Which proof an order asks for."""

    CODE = "code"
    PHOTO = "photo"
    NONE = "none"


class Verdict(StrEnum):
    """Whether an order may be called delivered, and by what; or what is in the way."""

    BY_CODE = "by_code"
    BY_PHOTO = "by_photo"
    BY_WORD = "by_word"
    WRONG_CODE = "wrong_code"
    CODE_NEEDED = "code_needed"
    PHOTO_NEEDED = "photo_needed"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order asks for, and what has been shown so far: the different wrong codes, and
    whether the driver who has the order has sent a photo.
    """

    kind: ProofKind
    code: str | None
    wrong: frozenset[str]
    has_photo: bool

    @property
    def attempts_left(self) -> int:
        """How many wrong codes may still be given; with none left, no code is taken any more."""
        return max(0, MOST_WRONG_CODES - len(self.wrong))


def judge(asked: Asked, code: str | None) -> Verdict:
    """What becomes of a delivery for which `code` was given, or none.

    Once the codes are used up a photo stands in for them, since food at the door does not wait.
    """
    if asked.kind is ProofKind.CODE and asked.attempts_left:
        if code is None:
            return Verdict.CODE_NEEDED
        right = asked.code is not None and hmac.compare_digest(code, asked.code)
        return Verdict.BY_CODE if right else Verdict.WRONG_CODE
    if asked.has_photo:
        return Verdict.BY_PHOTO
    return Verdict.BY_WORD if asked.kind is ProofKind.NONE else Verdict.PHOTO_NEEDED
