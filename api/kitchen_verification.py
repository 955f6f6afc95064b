"""Letting kitchens in: what chefs show, what admins say to it, and what follows from that."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.driver_profiles import DocumentDecisionBody, VerificationBody
from api.errors import conflict, not_found
from api.kitchen_lookup import locked
from domain import verification as rules
from domain.kitchens import MOST_DOCUMENTS, OF_THE_PLACE, REQUIRED
from domain.notifications import KitchenAlert
from domain.verification import DocumentStatus, Verification
from schema.queries import admin, chef_documents, chef_profiles, documents, notifications
from schema.queries.chef_documents import papers
from schema.queries.chef_profiles import Profile
from schema.tables import ChefDocument

_TOLD = {
    Verification.APPROVED: KitchenAlert.APPROVED,
    Verification.REJECTED: KitchenAlert.REJECTED,
    Verification.SUSPENDED: KitchenAlert.SUSPENDED,
}


async def known_or_possible(session: AsyncSession, row: ChefDocument) -> ChefDocument | None:
    """The same document, handed in before and not turned down since, or None where it may be handed
    in now. Raises Problem (too_many_documents).
    """
    said = {"document_type", "digest", "expires_on"}
    all_before = await chef_documents.of(session, row.chef_id)
    for before in all_before:
        is_same = before.model_dump(include=said) == row.model_dump(include=said)
        if is_same and before.status is not DocumentStatus.REJECTED:
            return before
    if len(all_before) >= MOST_DOCUMENTS:
        raise conflict("too_many_documents", f"there are {MOST_DOCUMENTS} documents already")
    return None


async def hand_in(session: AsyncSession, row: ChefDocument, at: datetime) -> ChefDocument:
    """Take a chef's document, whose file is kept already; one like it that is known is the answer
    to the same request.

    Who was turned away is looked at again, as soon as all is there. Raises Problem.
    """
    seen = await locked(session, row.chef_id)
    before = await known_or_possible(session, row)
    if before is not None:
        return before
    await chef_documents.submit(session, row)
    await _look_again(session, seen, at)
    return row


async def decide_document(
    session: AsyncSession,
    document_id: UUID,
    body: DocumentDecisionBody,
    *,
    chef_id: UUID,
    by: UUID,
    at: datetime,
) -> None:
    """Write down what an admin thinks of a document; the same twice is once.

    An approved chef who has to show it and has no other such is to be verified again.
    """
    seen = await locked(session, chef_id)
    rows = {row.id: row for row in await chef_documents.of(session, chef_id)}
    row = rows.get(document_id)
    if row is None:
        raise not_found("document")
    if (row.status, row.reason) == (body.status, body.reason):
        return
    if body.status is DocumentStatus.APPROVED and rules.has_expired(row.expires_on, at.date()):
        raise conflict("document_expired", "the document is good no more")
    await documents.decide(session, row, body.status, reason=body.reason, by=by, at=at)
    if body.status is DocumentStatus.REJECTED:
        await notifications.tell_kitchen(
            session,
            KitchenAlert.DOCUMENT_REJECTED,
            seen.party,
            key=str(uuid7()),
            reason=body.reason,
            words={"document": row.document_type.value},
        )
        await _prove_again(session, seen)


async def decide(
    session: AsyncSession, chef_id: UUID, body: VerificationBody, *, by: UUID, at: datetime
) -> None:
    """Let a kitchen in, turn it away or suspend it; the same twice is once.

    It is let in when all that it must show is approved and good. One that is not in takes no new
    orders from that moment on; the chef opens it himself when it is in again.
    """
    seen = await locked(session, chef_id)
    was = seen.chef.verification_status
    if was is body.status:
        return
    if not rules.may_become(was, body.status):
        raise conflict(
            "illegal_verification",
            f"a chef who is {was} cannot become {body.status}",
            currentStatus=was,
        )
    values: dict[str, object] = {
        "verification_status": body.status,
        "verification_reason": body.reason,
    }
    if body.status is Verification.APPROVED:
        shown = papers(await chef_documents.of(session, chef_id))
        missing = rules.missing(REQUIRED, shown, at.date())
        if missing:
            raise conflict(
                "documents_missing",
                f"not approved, or expired: {', '.join(missing)}",
                missing=list(missing),
            )
        values["verified_at"] = at
    else:
        values["accepting_orders"] = False
    await chef_profiles.change(session, chef_id, values)
    await admin.act(
        session,
        key=f"chef:{chef_id}:{uuid7()}",
        admin_id=by,
        action=f"chef_{body.status}",
        target=("chef", chef_id),
        details={"was": was, "reason": body.reason},
        at=at,
        before={"verificationStatus": was},
        after={"verificationStatus": body.status},
    )
    await notifications.tell_kitchen(
        session, _TOLD[body.status], seen.party, key=str(uuid7()), reason=body.reason
    )


async def moved(session: AsyncSession, seen: Profile, at: datetime) -> None:
    """A kitchen is at another place: what was shown for the one before counts no more."""
    await chef_documents.void(session, seen.chef.id, OF_THE_PLACE, at)
    await _prove_again(session, seen)


async def _prove_again(session: AsyncSession, seen: Profile) -> None:
    """Close a kitchen that is in and has no longer shown all that it must."""
    row = seen.chef
    if row.verification_status is not Verification.APPROVED:
        return
    if not rules.unproven(REQUIRED, papers(await chef_documents.of(session, row.id))):
        return
    await chef_profiles.change(
        session,
        row.id,
        {
            "verification_status": Verification.PENDING,
            "verification_reason": None,
            "accepting_orders": False,
        },
    )
    await notifications.tell_kitchen(
        session, KitchenAlert.TO_BE_VERIFIED_AGAIN, seen.party, key=str(uuid7())
    )


async def _look_again(session: AsyncSession, seen: Profile, at: datetime) -> None:
    """Ask for an admin's eye, once a day, when a chef who wants to be let in has shown all."""
    row = seen.chef
    if row.verification_status not in {Verification.PENDING, Verification.REJECTED}:
        return
    if rules.unseen(REQUIRED, papers(await chef_documents.of(session, row.id))):
        return
    await chef_profiles.change(session, row.id, {"verification_status": Verification.PENDING})
    await notifications.tell_kitchen(
        session, KitchenAlert.WAITS, seen.party, key=f"waits:{at.date()}"
    )
