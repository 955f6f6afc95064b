"""What shows that an order was handed over: seen here, so that the code never goes any further."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.bodies import ProofBody
from api.dependencies import Services
from api.errors import Problem, conflict
from domain.notifications import Alert
from domain.order_status import OrderStatus
from domain.proof import MOST_WRONG_CODES, Asked, ProofKind, Verdict, judge
from schema.queries import notifications, orders, proofs
from schema.queries.order_views import Access

_BY = {Verdict.BY_CODE: ProofKind.CODE, Verdict.BY_PHOTO: ProofKind.PHOTO}


async def shown(
    held: Services, order: Access, driver_id: UUID, given: ProofBody | None
) -> dict[str, Any] | None:
    """What is written down as the proof of a delivery: what the driver says, and `kind`, which
    proof was seen. The code itself is not part of it.

    Raises Problem, wrong_code or proof_required, where what the order asks for was not shown. An
    order that is not on its way has the workflow say so, or answer as it did before.
    """
    said = given.model_dump(by_alias=True, exclude_none=True, exclude={"code"}) if given else {}
    code = given.code if given else None
    async with held.database.write() as session:
        handover = await proofs.handover(session, order.order_id)
        if (handover.status, handover.driver_id) != (OrderStatus.IN_TRANSIT, driver_id):
            return said or None
        verdict, asked = judge(handover.asked, code), handover.asked
        if verdict is Verdict.WRONG_CODE and code is not None:
            asked = await _counted(session, order.order_id, driver_id, code)
    match verdict:
        case Verdict.WRONG_CODE:
            raise conflict(
                "wrong_code",
                "this is not the code that the customer was shown",
                attemptsLeft=asked.attempts_left,
            )
        case Verdict.CODE_NEEDED:
            raise _required(ProofKind.CODE, "ask the customer for the code")
        case Verdict.PHOTO_NEEDED:
            raise _required(ProofKind.PHOTO, "take a photo of the order at the door, and send it")
    return ({"kind": _BY[verdict]} if verdict in _BY else {}) | said or None


async def _counted(session: AsyncSession, order_id: UUID, driver_id: UUID, code: str) -> Asked:
    """Count a wrong code; ops hear of the last one, since somebody may be guessing."""
    await proofs.note_wrong_code(session, order_id, driver_id, code)
    asked = (await proofs.handover(session, order_id)).asked
    if not asked.attempts_left:
        parties = await orders.parties(session, order_id)
        await notifications.tell(
            session, Alert.CODES_USED_UP, parties, key="codes", words={"count": MOST_WRONG_CODES}
        )
    return asked


def _required(kind: ProofKind, words: str) -> Problem:
    return conflict("proof_required", words, required=kind)
