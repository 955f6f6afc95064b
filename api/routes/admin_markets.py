"""What operators change about markets."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api import market_settings as views
from api import once
from api.dependencies import PagingDep, Services, ServicesDep
from api.errors import conflict, invalid, not_found, problems
from api.market_settings import (
    MarketOut,
    MarketSettingsBody,
    MarketSettingsOut,
    SettingOut,
    WithdrawBody,
)
from api.markets import in_force, overlaid
from api.once import OnceKey
from api.permits import ActsOnConfig, MayReadConfig
from schema.queries import admin, market_settings
from schema.tables import MarketSetting

router = APIRouter(prefix="/admin/markets", tags=["Admin"])

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

MarketPath = Annotated[str, Path(max_length=100, pattern=r"^[^\x00]*$")]


@router.get("", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_markets(
    held: ServicesDep,
    who: MayReadConfig,  # noqa: ARG001 - for admins
) -> list[MarketOut]:
    """List the markets and what is in force there."""
    now = datetime.now(UTC)
    async with held.database.read() as session:
        said = await market_settings.of_all(session)
    return [
        views.market(
            name,
            overlaid(held.settings, name, [r for r in said.get(name, []) if _is_past(r, now)]),
            sum(not _is_past(row, now) for row in said.get(name, [])),
        )
        for name in held.settings.markets
    ]


@router.get(
    "/{market}/settings",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def show_settings(
    held: ServicesDep,
    who: MayReadConfig,  # noqa: ARG001 - for admins
    market: MarketPath,
    paging: PagingDep,
) -> MarketSettingsOut:
    """See what is in force in a market, what is coming, and what was changed before."""
    _check(held, market)
    now = datetime.now(UTC)
    async with held.database.read() as session:
        found = await in_force(session, held.settings, market, now)
        coming = await market_settings.coming(session, market, now)
        said, total = await market_settings.history(
            session, market, limit=paging.limit, offset=paging.offset
        )
    return MarketSettingsOut(
        in_force=views.in_force(found),
        coming=[views.setting(row) for row in coming],
        data=[views.entry(one) for one in said],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.post("/{market}/settings", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def change_settings(
    held: ServicesDep,
    who: ActsOnConfig,
    market: MarketPath,
    body: MarketSettingsBody,
    idempotency_key: OnceKey = None,
) -> SettingOut:
    """Have a part of a market's settings otherwise, at once or from a moment on. Orders keep the
    prices and terms that they were placed under.
    """
    _check(held, market)
    said, now = body.values.said, datetime.now(UTC)
    if not said:
        raise invalid("values", "nothing_to_change", "say what is to be otherwise")
    async with held.database.write() as session:
        made = await once.claimed(
            session, who.user_id, idempotency_key, f"market_setting:{market}", body
        )
        known = None if made.is_new else await market_settings.locked(session, market, made.id)
        if known is not None:
            return views.entry(known)
        if body.effective_from is not None and body.effective_from < now:
            raise invalid("effectiveFrom", "in_the_past", "what was in force stays as it was")
        row = MarketSetting(
            id=made.id,
            market=market,
            effective_from=body.effective_from or now,
            values=said,
            created_by=who.user_id,
            reason=body.reason,
            created_at=now,
        )
        before = await in_force(session, held.settings, market, row.effective_from)
        session.add(row)
        await admin.act(
            session,
            key=f"market_setting:{row.id}",
            admin_id=who.user_id,
            action="market_settings_changed",
            target=("market_setting", row.id),
            details={"market": market, "effectiveFrom": row.effective_from.isoformat()},
            at=now,
            before=views.touched(before, said),
            after=said,
            reason=body.reason,
        )
    return views.setting(row)


@router.post("/{market}/settings/{setting_id}/withdraw", responses=_CHANGES)
async def withdraw_settings(
    held: ServicesDep, who: ActsOnConfig, market: MarketPath, setting_id: UUID, body: WithdrawBody
) -> SettingOut:
    """Take a change back before it takes effect; the same twice is once. One that is in force is
    undone by another change.
    """
    _check(held, market)
    async with held.database.write() as session:
        found = await market_settings.locked(session, market, setting_id)
        if found is None:
            raise not_found("change of this market")
        if found.withdrawn is not None:
            return views.entry(found)
        # After waiting for the lock: what has taken effect by then has.
        now = datetime.now(UTC)
        if _is_past(found.row, now):
            raise conflict("in_force_already", "the change has taken effect: make another one")
        back = MarketSetting(
            market=market,
            effective_from=found.row.effective_from,
            withdraws=setting_id,
            created_by=who.user_id,
            reason=body.reason,
            created_at=now,
        )
        before = await in_force(session, held.settings, market, back.effective_from)
        session.add(back)
        await session.flush()
        after = await in_force(session, held.settings, market, back.effective_from)
        await admin.act(
            session,
            key=f"market_setting:{setting_id}:withdrawn",
            admin_id=who.user_id,
            action="market_settings_withdrawn",
            target=("market_setting", setting_id),
            details={"market": market},
            at=now,
            before={"withdrawn": False, **views.touched(before, found.row.values)},
            after={"withdrawn": True, **views.touched(after, found.row.values)},
            reason=body.reason,
        )
    return views.setting(found.row, back)


def _check(held: Services, market: str) -> None:
    if market not in held.settings.markets:
        raise not_found("market")


def _is_past(row: MarketSetting, now: datetime) -> bool:
    return row.effective_from <= now
