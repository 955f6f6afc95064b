"""Every SQL statement about whom we pay, and their accounts at Stripe."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain import payees as rules
from domain.payees import PayeeKind
from schema.messages.payees import PayeeRef
from schema.queries import notifications
from schema.queries.notifications import PayeeParty
from schema.tables import Chef, ConnectedAccount, Driver, User, UserProfile

_TABLES: dict[PayeeKind, type[Chef] | type[Driver]] = {
    PayeeKind.CHEF: Chef,
    PayeeKind.DRIVER: Driver,
}


class Payee(NamedTuple):
    """A chef or driver, as far as paying him goes; drivers belong to no market."""

    ref: PayeeRef
    user_id: UUID
    name: str
    email: str
    market: str | None
    account_id: str | None
    since: datetime

    @property
    def party(self) -> PayeeParty:
        """Whom to tell."""
        return PayeeParty(self.ref.payee_id, self.user_id, self.name)

    @property
    def metadata(self) -> dict[str, str]:
        """What his account at Stripe says of him."""
        return {"payee_kind": self.ref.kind.value, "payee_id": str(self.ref.payee_id)}


class Standing(NamedTuple):
    """How an account stands at Stripe, and since before when that is known."""

    account_id: str
    details_submitted: bool
    payouts_enabled: bool
    requirements_due: list[str]
    disabled_reason: str | None
    seen_at: datetime


async def payee(session: AsyncSession, ref: PayeeRef) -> Payee | None:
    """A chef or driver."""
    table = _TABLES[ref.kind]
    is_chef = ref.kind is PayeeKind.CHEF
    found = await session.execute(
        select(
            col(table.user_id),
            col(Chef.business_name)
            if is_chef
            else col(UserProfile.first_name) + " " + col(UserProfile.last_name),
            col(User.email),
            col(Chef.market) if is_chef else literal(None),
            col(table.stripe_account_id),
            col(table.created_at),
        )
        .join(User, col(User.id) == col(table.user_id))
        .join(UserProfile, col(UserProfile.user_id) == col(table.user_id))
        .where(col(table.id) == ref.payee_id)
    )
    row = found.first()
    return None if row is None else Payee(ref, *row)


async def payee_id_of(session: AsyncSession, kind: PayeeKind, user_id: UUID) -> UUID | None:
    """The chef or driver that a user is."""
    table = _TABLES[kind]
    return await session.scalar(select(col(table.id)).where(col(table.user_id) == user_id))


async def account_of(session: AsyncSession, payee_id: UUID) -> ConnectedAccount | None:
    """A payee's account, as it stood when it was last looked at."""
    return await session.scalar(
        select(ConnectedAccount).where(col(ConnectedAccount.payee_id) == payee_id)
    )


async def owner_of(session: AsyncSession, account_id: str) -> PayeeRef | None:
    """Whose an account is."""
    account = await session.get(ConnectedAccount, account_id)
    if account is None:
        return None
    return PayeeRef(kind=account.payee_kind, payee_id=account.payee_id)


async def can_be_paid(session: AsyncSession, payee_id: UUID) -> bool:
    """Whether money that is sent to a payee arrives, as far as we know."""
    found = await session.scalar(
        select(col(ConnectedAccount.id)).where(
            col(ConnectedAccount.payee_id) == payee_id,
            col(ConnectedAccount.details_submitted),
            col(ConnectedAccount.payouts_enabled),
        )
    )
    return found is not None


async def note_account(session: AsyncSession, whose: Payee, stands: Standing) -> ConnectedAccount:
    """Write down how a payee's account stands, and tell him and ops what has changed.

    What is known from a later look is left as it is. Raises NoResultFound when the payee has
    another account.
    """
    await session.execute(
        insert(ConnectedAccount)
        .values(
            id=stands.account_id,
            payee_kind=whose.ref.kind,
            payee_id=whose.ref.payee_id,
            details_submitted=False,
            payouts_enabled=False,
            requirements_due=[],
            created_at=stands.seen_at,
            updated_at=stands.seen_at,
        )
        .on_conflict_do_nothing()
    )
    found = await session.scalars(
        select(ConnectedAccount)
        .where(
            col(ConnectedAccount.id) == stands.account_id,
            col(ConnectedAccount.payee_id) == whose.ref.payee_id,
        )
        .with_for_update()
    )
    account = found.one()
    if account.updated_at > stands.seen_at:
        return account
    before = account.details_submitted and account.payouts_enabled
    now = stands.details_submitted and stands.payouts_enabled
    alert = rules.news(ever=account.onboarded_at is not None, before=before, now=now)
    account.details_submitted = stands.details_submitted
    account.payouts_enabled = stands.payouts_enabled
    account.requirements_due = stands.requirements_due
    account.disabled_reason = stands.disabled_reason
    account.updated_at = stands.seen_at
    if now and account.onboarded_at is None:
        account.onboarded_at = stands.seen_at
    await _note_on_payee(session, whose.ref, account)
    if alert is not None:
        await notifications.tell_payee(
            session,
            alert,
            whose.party,
            key=stands.seen_at.isoformat(),
            reason=stands.disabled_reason,
        )
    return account


async def _note_on_payee(session: AsyncSession, ref: PayeeRef, account: ConnectedAccount) -> None:
    table = _TABLES[ref.kind]
    values: dict[str, object] = {"stripe_account_id": account.id}
    if table is Chef:
        values["stripe_onboarding_complete"] = account.onboarded_at is not None
    await session.execute(update(table).where(col(table.id) == ref.payee_id).values(**values))
