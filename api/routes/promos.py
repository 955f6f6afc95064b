"""What operators do with promo codes."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from uuid_utils.compat import uuid7

from api.dependencies import PagingDep, ServicesDep
from api.errors import Problem, conflict, invalid, not_found, problems
from api.permits import ActsOnConfig, MayReadConfig
from api.promo_codes import PromoChangeBody, PromoCodeBody, PromoCodeOut, promo_code
from api.views import Page
from domain.promo import DiscountType, normalised
from schema.queries import admin, promos
from schema.tables import PromoCode
from schema.tables.columns import now
from settings import Settings

router = APIRouter(prefix="/admin/promo-codes", tags=["Admin"])

CodePath = Annotated[
    str, Path(min_length=1, max_length=40, pattern=r"^[^\x00]*$", description="In any case.")
]

# All of it.
_WHOLE_BPS = 10_000


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def create_promo_code(
    held: ServicesDep, who: ActsOnConfig, body: PromoCodeBody
) -> PromoCodeOut:
    """Make a promo code. The discount is the platform's expense."""
    _check(body, held.settings)
    row = PromoCode(**body.model_dump(exclude={"reason"}))
    async with held.database.write() as session:
        if not await promos.create(session, row):
            raise conflict("promo_code_exists", f"there is a promo code {row.code} already")
        await admin.act(
            session,
            key=f"promo_code:{row.id}:created",
            admin_id=who.user_id,
            action="promo_code_created",
            target=("promo_code", row.id),
            details=body.model_dump(mode="json"),
            at=row.created_at,
            after=body.model_dump(mode="json", exclude={"reason"}),
        )
    return promo_code(row)


@router.get("", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_promo_codes(
    held: ServicesDep,
    who: MayReadConfig,  # noqa: ARG001 - for admins
    paging: PagingDep,
) -> Page[PromoCodeOut]:
    """List all promo codes with their uses, the newest first."""
    async with held.database.read() as session:
        rows, total = await promos.page(session, limit=paging.limit, offset=paging.offset)
    return Page(
        data=[promo_code(row) for row in rows],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.patch(
    "/{code}",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def change_promo_code(
    held: ServicesDep, who: ActsOnConfig, code: CodePath, body: PromoChangeBody
) -> PromoCodeOut:
    """Switch a promo code off or on, let it be good for longer or for more orders. Orders that hold
    a use of it keep it.
    """
    if not body.changes:
        raise invalid("body", "nothing_to_change", "say isActive, maxUses or expiresAt")
    async with held.database.write() as session:
        row = await promos.locked(session, normalised(code))
        if row is None:
            raise not_found("promo code")
        _check_change(body, row)
        was = row.model_dump(mode="json")
        changes = {n: value for n, value in body.changes.items() if getattr(row, n) != value}
        if changes:
            await promos.change(session, row.id, changes)
            await admin.act(
                session,
                key=f"promo_code:{row.id}:{uuid7()}",
                admin_id=who.user_id,
                action="promo_code_changed",
                target=("promo_code", row.id),
                details={
                    "was": {name: was[name] for name in changes},
                    "is": body.model_dump(mode="json", include=set(changes)),
                    "reason": body.reason,
                },
                at=now(),
                before={name: was[name] for name in changes},
                after=body.model_dump(mode="json", include=set(changes)),
            )
    return promo_code(row)


def _check(body: PromoCodeBody, settings: Settings) -> None:
    if body.discount_type is DiscountType.PERCENT and body.discount_value > _WHOLE_BPS:
        raise invalid(
            "discountValue",
            "discount_out_of_range",
            f"a percentage is in basis points, {_WHOLE_BPS} at most",
        )
    if body.discount_type is DiscountType.FIXED and body.max_discount_cents is not None:
        raise invalid(
            "maxDiscountCents", "cap_without_percentage", "so many cents are a limit themselves"
        )
    if body.market is not None and body.market not in settings.markets:
        raise invalid("market", "unknown_market", "there is no such market")
    markets = [body.market] if body.market else list(settings.markets)
    if body.currency not in {settings.markets[name].rates.currency for name in markets}:
        raise invalid("currency", "unknown_currency", "nothing is sold for this currency there")
    if body.starts_at and body.expires_at and body.expires_at <= body.starts_at:
        raise _ends_too_soon()


def _check_change(body: PromoChangeBody, row: PromoCode) -> None:
    if body.max_uses is not None and body.max_uses < row.uses:
        raise conflict(
            "promo_uses_taken", f"{row.uses} orders hold a use of it already", uses=row.uses
        )
    if body.expires_at and row.starts_at and body.expires_at <= row.starts_at:
        raise _ends_too_soon()


def _ends_too_soon() -> Problem:
    return invalid("expiresAt", "expires_before_start", "a code ends after it begins")
