"""Letting drivers in: what they show, what admins say to it, and what follows from that."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.dependencies import Services
from api.driver_profiles import (
    DocumentBody,
    DocumentDecisionBody,
    VehicleBody,
    VerificationBody,
)
from api.errors import conflict, invalid, not_found
from domain import drivers as rules
from domain.notifications import DriverAlert
from domain.verification import DocumentStatus, Verification, has_expired, may_become
from schema.queries import (
    admin,
    documents,
    driver_documents,
    driver_profiles,
    notifications,
    offers,
    searches,
)
from schema.queries.driver_documents import papers
from schema.queries.driver_profiles import Profile
from schema.tables import DriverDocument

_TOLD = {
    Verification.APPROVED: DriverAlert.APPROVED,
    Verification.REJECTED: DriverAlert.REJECTED,
    Verification.SUSPENDED: DriverAlert.SUSPENDED,
}


async def locked(session: AsyncSession, driver_id: UUID) -> Profile:
    """As `driver_profiles.locked`; 404 where there is no such driver."""
    found = await driver_profiles.locked(session, driver_id)
    if found is None:
        raise not_found("driver")
    return found


async def hand_in(
    session: AsyncSession, driver_id: UUID, body: DocumentBody, at: datetime
) -> DriverDocument:
    """Take a driver's document; one like it that still waits is the answer to the same request.

    Who was turned away is looked at again, as soon as all is there.
    """
    if body.expires_on is None and rules.needs_end(body.type):
        raise invalid("expiresOn", "expiry_needed", "this document says until when it is good")
    if has_expired(body.expires_on, at.date()):
        raise invalid("expiresOn", "already_expired", "the document is good no more")
    seen = await locked(session, driver_id)
    row = DriverDocument(
        driver_id=driver_id,
        document_type=body.type,
        file_url=body.file_url,
        expires_on=body.expires_on,
    )
    for known in await driver_documents.of(session, driver_id):
        if known.status is DocumentStatus.PENDING and _alike(known, row):
            return known
    await driver_documents.submit(session, row)
    await _look_again(session, seen, at)
    return row


async def decide_document(
    session: AsyncSession,
    document_id: UUID,
    body: DocumentDecisionBody,
    *,
    driver_id: UUID,
    by: UUID,
    at: datetime,
) -> list[UUID]:
    """Write down what an admin thinks of a document; the same twice is once.

    An approved driver who has to show it and has no other such is to be verified again. The answer
    is the orders that he was offered.
    """
    seen = await locked(session, driver_id)
    known = {row.id: row for row in await driver_documents.of(session, driver_id)}
    row = known.get(document_id)
    if row is None:
        raise not_found("document")
    if (row.status, row.reason) == (body.status, body.reason):
        return []
    if body.status is DocumentStatus.APPROVED and has_expired(row.expires_on, at.date()):
        raise conflict("document_expired", "the document is good no more")
    await documents.decide(session, row, body.status, reason=body.reason, by=by, at=at)
    if body.status is DocumentStatus.REJECTED:
        await notifications.tell_driver(
            session,
            DriverAlert.DOCUMENT_REJECTED,
            seen.party,
            key=str(uuid7()),
            reason=body.reason,
            words={"document": row.document_type.value},
        )
    is_rejected = body.status is DocumentStatus.REJECTED
    return await _papers_changed(session, seen, at, taken_away=is_rejected)


async def decide(
    session: AsyncSession, driver_id: UUID, body: VerificationBody, *, by: UUID, at: datetime
) -> list[UUID]:
    """Let a driver in, turn him away or suspend him; the same twice is once.

    He is let in when all that he must show is approved and good. Whoever is not in is off duty, and
    what he is offered goes to others (the answer is which orders); what he has in hand stays his.
    """
    seen = await locked(session, driver_id)
    was = seen.driver.verification_status
    if was is body.status:
        return []
    if not may_become(was, body.status):
        raise conflict(
            "illegal_verification",
            f"a driver who is {was} cannot become {body.status}",
            currentStatus=was,
        )
    if body.status is Verification.APPROVED:
        shown = papers(await driver_documents.of(session, driver_id))
        missing = rules.missing(seen.driver.vehicle_type, shown, at.date())
        if missing:
            raise conflict(
                "documents_missing",
                f"not approved, or expired: {', '.join(missing)}",
                missing=list(missing),
            )
    offered = await becomes(session, seen, body.status, body.reason, at)
    await admin.act(
        session,
        key=f"driver:{driver_id}:{uuid7()}",
        admin_id=by,
        action=f"driver_{body.status}",
        target=("driver", driver_id),
        details={"was": was, "reason": body.reason},
        at=at,
        before={"verificationStatus": was},
        after={"verificationStatus": body.status},
    )
    return offered


async def becomes(
    session: AsyncSession, seen: Profile, to: Verification, reason: str | None, at: datetime
) -> list[UUID]:
    """Have a driver stand otherwise, and tell him. Whoever is not in is off duty, and what he is
    offered goes to others: the answer is which orders.
    """
    driver_id = seen.driver.id
    await driver_profiles.change(
        session, driver_id, {"verification_status": to, "verification_reason": reason}
    )
    offered: list[UUID] = []
    if to is not Verification.APPROVED:
        offered = await _off_duty(session, driver_id, f"driver {to}", at)
    await notifications.tell_driver(session, _TOLD[to], seen.party, key=str(uuid7()), reason=reason)
    return offered


async def change_vehicle(
    session: AsyncSession, driver_id: UUID, body: VehicleBody, at: datetime
) -> list[UUID]:
    """Let a driver have another vehicle: what he showed for the one before counts no more. The
    answer is the orders that he was offered, if that takes him off duty.
    """
    seen = await locked(session, driver_id)
    row = seen.driver
    if (row.vehicle_type, row.vehicle_plate) == (body.type, body.plate):
        return []
    await driver_documents.void(session, driver_id, rules.OF_THE_VEHICLE, at)
    await driver_profiles.change(
        session, driver_id, {"vehicle_type": body.type, "vehicle_plate": body.plate}
    )
    return await _papers_changed(session, seen, at, taken_away=True)


async def ask_others(held: Services, order_ids: Collection[UUID]) -> None:
    """Have others asked at once for orders whose driver went off duty before he answered.

    Raises EngineBusy. Whether it does or is never called: at their next tick the zones see it too.
    """
    for order_id in order_ids:
        async with held.database.read() as session:
            zones = await searches.zones_of(session, order_id)
        await held.engine.zones.look(zones, order_id)


async def _papers_changed(
    session: AsyncSession, seen: Profile, at: datetime, *, taken_away: bool
) -> list[UUID]:
    row = seen.driver
    offered: list[UUID] = []
    shown = papers(await driver_documents.of(session, row.id))
    values: dict[str, object] = {
        "documents_expire_on": rules.expire_on(row.vehicle_type, shown),
    }
    is_in = row.verification_status is Verification.APPROVED
    if taken_away and is_in and rules.unproven(row.vehicle_type, shown):
        values |= {"verification_status": Verification.PENDING, "verification_reason": None}
        offered = await _off_duty(session, row.id, "documents to be verified", at)
        await notifications.tell_driver(
            session, DriverAlert.TO_BE_VERIFIED_AGAIN, seen.party, key=str(uuid7())
        )
    await driver_profiles.change(session, row.id, values)
    return offered


async def _look_again(session: AsyncSession, seen: Profile, at: datetime) -> None:
    """Ask for an admin's eye, once a day, when a driver who wants to be let in has shown all."""
    row = seen.driver
    if row.verification_status not in {Verification.PENDING, Verification.REJECTED}:
        return
    shown = papers(await driver_documents.of(session, row.id))
    if rules.unseen(row.vehicle_type, shown):
        return
    await driver_profiles.change(session, row.id, {"verification_status": Verification.PENDING})
    await notifications.tell_driver(
        session, DriverAlert.WAITS, seen.party, key=f"waits:{at.date()}"
    )


def _alike(one: DriverDocument, other: DriverDocument) -> bool:
    said = {"document_type", "file_url", "expires_on"}
    return one.model_dump(include=said) == other.model_dump(include=said)


async def _off_duty(session: AsyncSession, driver_id: UUID, why: str, at: datetime) -> list[UUID]:
    await driver_profiles.change(session, driver_id, driver_profiles.off_duty())
    return await offers.withdraw_all(session, driver_id, reason=why, at=at)
