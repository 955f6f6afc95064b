"""What operators do about disputes."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path

from api import claims
from api.bodies import ConcedeBody, EvidenceBody
from api.claims import DisputeDetailsOut, DisputeOut
from api.dependencies import PagingDep, Services, ServicesDep
from api.errors import conflict, not_found, problems
from api.permits import ActsOnMoney, MayReadMoney
from api.views import Page
from domain.evidence import compose
from schema.messages.disputes import Concession, DisputeRequest, Evidence
from schema.queries import disputes, evidence
from schema.queries.disputes import Listed
from workflows.dispute import DisputeWorkflow

router = APIRouter(prefix="/admin/disputes", tags=["Admin"])

DisputeId = Annotated[str, Path(pattern="^[A-Za-z0-9_]{1,100}$", examples=["dp_1QabCdEfGhIjKlMn"])]

_LOOKS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CHANGES = problems(
    *_LOOKS,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@router.get("", responses=problems(*_LOOKS))
async def list_disputes(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - being one is enough
    paging: PagingDep,
    open: bool | None = None,  # noqa: A002 - the parameter's name in the API
) -> Page[DisputeOut]:
    """List all disputes, the newest first; with `open`, only those that are or are not decided."""
    async with held.database.read() as session:
        found, total = await disputes.page(
            session, is_open=open, limit=paging.limit, offset=paging.offset
        )
    return Page(
        data=[claims.dispute(one) for one in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.get("/{dispute_id}", responses=problems(*_LOOKS, HTTPStatus.NOT_FOUND))
async def show_dispute(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - being one is enough
    dispute_id: DisputeId,
) -> DisputeDetailsOut:
    """Show a dispute, with the evidence that was sent or, until then, as it would be sent now."""
    return await _details(held, dispute_id)


@router.put("/{dispute_id}/evidence", responses=_CHANGES)
async def add_evidence(
    held: ServicesDep, who: ActsOnMoney, dispute_id: DisputeId, body: EvidenceBody
) -> DisputeDetailsOut:
    """Add words to the evidence, or say who bears the dispute if it is lost. Words until it is
    sent, the fault until the bank has decided.
    """
    ask = Evidence(admin_id=who.user_id, text=body.text, fault=body.fault)
    return await _ask(held, dispute_id, DisputeWorkflow.add_evidence, ask)


@router.post("/{dispute_id}/submit", responses=_CHANGES)
async def submit_evidence(
    held: ServicesDep, who: ActsOnMoney, dispute_id: DisputeId
) -> DisputeDetailsOut:
    """Send the evidence to the bank now, not only shortly before it is due. There is no second
    time.
    """
    ask = DisputeRequest(admin_id=who.user_id)
    return await _ask(held, dispute_id, DisputeWorkflow.submit, ask)


@router.post("/{dispute_id}/concede", responses=_CHANGES)
async def concede_dispute(
    held: ServicesDep, who: ActsOnMoney, dispute_id: DisputeId, body: ConcedeBody
) -> DisputeDetailsOut:
    """Let the customer have the money: the dispute is lost at once, to whoever bears it."""
    ask = Concession(admin_id=who.user_id, reason=body.reason, fault=body.fault)
    return await _ask(held, dispute_id, DisputeWorkflow.concede, ask)


async def _ask(
    held: Services, dispute_id: str, update: Any, ask: DisputeRequest
) -> DisputeDetailsOut:
    listed = await _listed(held, dispute_id)
    if listed.dispute.outcome is not None:
        raise conflict("dispute_closed", f"the dispute is {listed.dispute.outcome}")
    # Each is a request of its own: what it wants may make sense again.
    await held.engine.money.ask_dispute(dispute_id, update, ask, key=f"{update.__name__}:{uuid4()}")
    return await _details(held, dispute_id)


async def _details(held: Services, dispute_id: str) -> DisputeDetailsOut:
    listed = await _listed(held, dispute_id)
    sent = listed.dispute.evidence
    if sent is None:
        async with held.database.read() as session:
            sent = compose(await evidence.case(session, listed.dispute))
    return claims.dispute_details(listed, sent)


async def _listed(held: Services, dispute_id: str) -> Listed:
    async with held.database.read() as session:
        listed = await disputes.listed(session, dispute_id)
    if listed is None:
        raise not_found("dispute")
    return listed
