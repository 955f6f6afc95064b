"""Whether the platform has let somebody in, and whether it has accepted a document of his."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, TypeVar

Kind = TypeVar("Kind", bound=StrEnum)


class Verification(StrEnum):
    """Whether the platform has let a chef or driver in."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class DocumentStatus(StrEnum):
    """What an admin thinks of a document."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Paper(Generic[Kind]):
    """A document as far as the rules go; it is good until the end of the day `expires_on` (UTC)."""

    type: Kind
    status: DocumentStatus
    expires_on: date | None


# Who is approved is suspended before he is turned away, so that it is never done by a slip.
_BECOMES = {
    Verification.APPROVED: {Verification.PENDING, Verification.REJECTED, Verification.SUSPENDED},
    Verification.REJECTED: {Verification.PENDING, Verification.SUSPENDED},
    Verification.SUSPENDED: {Verification.APPROVED},
}


def may_become(was: Verification, to: Verification) -> bool:
    """Whether an admin may take somebody from one standing to another; nobody is made pending."""
    return was in _BECOMES.get(to, set())


def unproven(required: Sequence[Kind], papers: Collection[Paper[Kind]]) -> tuple[Kind, ...]:
    """What of the required was never approved, or is not any more."""
    return tuple(kind for kind in required if good_until(kind, papers) is None)


def missing(
    required: Sequence[Kind], papers: Collection[Paper[Kind]], today: date
) -> tuple[Kind, ...]:
    """What of the required is not approved, or has expired."""
    return tuple(
        kind
        for kind in required
        if (end := good_until(kind, papers)) is None or has_expired(end, today)
    )


def unseen(required: Sequence[Kind], papers: Collection[Paper[Kind]]) -> tuple[Kind, ...]:
    """What of the required has not been handed in, or only in vain."""
    shown = {paper.type for paper in papers if paper.status is not DocumentStatus.REJECTED}
    return tuple(kind for kind in required if kind not in shown)


def good_until(kind: Kind, papers: Collection[Paper[Kind]]) -> date | None:
    """The last day of the best approved document of a kind; None where there is none."""
    ends = [
        paper.expires_on or date.max
        for paper in papers
        if paper.type is kind and paper.status is DocumentStatus.APPROVED
    ]
    return max(ends, default=None)


def has_expired(end: date | None, today: date) -> bool:
    """Whether what is good until `end`, or for ever (None), is good no more."""
    return end is not None and end < today
