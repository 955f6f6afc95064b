"""Reviews: who may say what for how long, what is looked at first, and what a rating is.

Source: seed 000, reviews (order_id, reviewer_id, reviewee_id, reviewee_type, rating, comment);
seed 004, Reviews. Ratings are 1 to 5.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Reviewee(StrEnum):
    """Whom a review is about."""

    CHEF = "chef"
    DRIVER = "driver"


class ReviewStatus(StrEnum):
    """Whether people see a review: only what is visible counts."""

    VISIBLE = "visible"
    PENDING = "pending"
    HIDDEN = "hidden"


# How long after delivery an order can be reviewed, and how long a review can be changed.
REVIEW_WINDOW = timedelta(days=30)
EDIT_WINDOW = timedelta(days=1)
MOST_PHOTOS = 5

# Ways around the platform: mail, web, and telephone numbers. (A day has eight digits.)
_CONTACT = re.compile(
    r"[\w.+-]+\s*(?:@|\(at\)|\[at\])\s*[\w-]+\s*\.\s*\w{2,}"
    r"|https?://|www\.|\b[\w-]+\.(?:com|net|org|io|me)\b"
    r"|\d{7,}|\d(?:[\s().\-/]*\d){8,}",
    re.IGNORECASE,
)
_BANNED = re.compile(
    r"\b(?:fuck\w*|shit\w*|cunt\w*|bitch\w*|asshole\w*|bastard\w*|whore\w*|nigg\w+|faggot\w*"
    r"|whatsapp|telegram|venmo|cashapp)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ratings:
    """How often somebody was rated in some time, and how many stars that is in all."""

    count: int = 0
    stars: int = 0

    @property
    def average(self) -> float | None:
        """The stars of a rating, from 1 to 5; None without any."""
        return self.stars / self.count if self.count else None

    def __add__(self, other: "Ratings") -> "Ratings":
        return Ratings(self.count + other.count, self.stars + other.stars)


def may_be_reviewed(delivered_at: datetime, now: datetime) -> bool:
    """Whether an order can still be reviewed."""
    return now <= delivered_at + REVIEW_WINDOW


def may_be_edited(created_at: datetime, now: datetime) -> bool:
    """Whether a review can still be changed by its author."""
    return now <= created_at + EDIT_WINDOW


def first_status(comment: str | None) -> ReviewStatus:
    """What becomes of new words: with contact data or banned ones somebody looks at them first."""
    if comment and (_CONTACT.search(comment) or _BANNED.search(comment)):
        return ReviewStatus.PENDING
    return ReviewStatus.VISIBLE


def status_after_edit(was: ReviewStatus, comment: str | None) -> ReviewStatus:
    """What becomes of a review whose words are changed: one that was hidden stays so."""
    return was if was is ReviewStatus.HIDDEN else first_status(comment)


def counted(status: ReviewStatus, rating: int) -> tuple[int, int]:
    """What a review adds to the sum and to the number of ratings."""
    return (rating, 1) if status is ReviewStatus.VISIBLE else (0, 0)
