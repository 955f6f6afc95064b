"""Every SQL statement by which whole lists are exported."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlmodel import col

from domain.payouts import PayoutStatus
from domain.verification import Verification
from schema.tables import Chef, Payout, User


def payouts(
    day: date | None, payee_id: UUID | None, statuses: Sequence[PayoutStatus]
) -> Select[Payout]:
    """Payouts, the latest first."""
    wanted = select(Payout).order_by(col(Payout.day).desc(), col(Payout.id).desc())
    if day is not None:
        wanted = wanted.where(col(Payout.day) == day)
    if payee_id is not None:
        wanted = wanted.where(col(Payout.payee_id) == payee_id)
    if statuses:
        wanted = wanted.where(col(Payout.status).in_(statuses))
    return wanted


def chefs(status: Sequence[Verification], search: str | None) -> Select[Chef, str]:
    """Chefs and their addresses, those who came last first."""
    wanted = (
        select(Chef, col(User.email))
        .join(User, col(User.id) == col(Chef.user_id))
        .order_by(col(Chef.created_at).desc(), col(Chef.id).desc())
    )
    if status:
        wanted = wanted.where(col(Chef.verification_status).in_(status))
    if search:
        words = search.lower()
        wanted = wanted.where(
            or_(
                func.lower(Chef.business_name).contains(words, autoescape=True),
                func.lower(User.email).contains(words, autoescape=True),
            )
        )
    return wanted
