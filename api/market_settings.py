"""What operators send and get about markets and their settings."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field

from api import examples_admin as examples
from api.bodies import Body, Moment, Words
from api.examples import shown
from api.kitchens import Radius
from api.markets import InForce
from api.views import Moment as At
from api.views import Page
from schema.messages.base import Message
from schema.queries.market_settings import Entry
from schema.tables import MarketSetting

_LAST_YEAR = 2199
# Nobody waits longer, and a timer of Temporal's has an end.
_LONGEST_SECONDS = 30 * 24 * 3600


def _of_our_time(moment: datetime) -> datetime:
    if moment.year > _LAST_YEAR:
        raise ValueError(f"a moment is before {_LAST_YEAR + 1}")
    return moment.astimezone(UTC)


Share = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Cents = Annotated[int, Field(strict=True, ge=0, le=99_999_999)]
Km = Annotated[float, Field(ge=0, le=100)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=_LONGEST_SECONDS)]


class RatesBody(Body):
    """What things cost: shares in basis points (1/100 %). What is left out stays. The currency of a
    market is no matter of a moment.
    """

    tax_bps: Share | None = None
    platform_fee_bps: Share | None = None
    service_fee_bps: Share | None = None
    delivery_base_cents: Cents | None = None
    delivery_included_km: Km | None = None
    delivery_cents_per_km: Cents | None = None


class RefundRulesBody(Body):
    """Which complaints need no person. What is left out stays."""

    small_cents: Cents | None = None
    automatic_refunds: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = None


class ValuesBody(Body):
    """A part of a market's settings; what is left out stays. Deadlines are in seconds.
    `mostServiceRadiusKm` is how far kitchens deliver at most, whatever they say.
    """

    rates: RatesBody | None = None
    refunds: RefundRulesBody | None = None
    most_service_radius_km: Radius | None = None
    payment_deadline_seconds: Seconds | None = None
    chef_response_seconds: Seconds | None = None
    scheduled_lead_seconds: Seconds | None = None
    dispatch_alert_seconds: Seconds | None = None
    dispatch_give_up_seconds: Seconds | None = None
    pickup_overdue_seconds: Seconds | None = None
    delivery_overdue_seconds: Seconds | None = None
    refund_overdue_seconds: Seconds | None = None
    complaint_window_seconds: Seconds | None = None
    tip_window_seconds: Seconds | None = None

    @property
    def said(self) -> dict[str, Any]:
        """What was said, and nothing else."""
        values = self.model_dump(exclude_none=True)
        return {name: value for name, value in values.items() if value != {}}


class MarketSettingsBody(Body):
    """What is to be otherwise in a market, from when on (at once, unless it is said), and why."""

    model_config = shown(
        {
            "values": examples.VALUES,
            "effectiveFrom": "2126-02-01T06:00:00Z",
            "reason": "the city's new tax",
        }
    )

    values: ValuesBody
    effective_from: Annotated[Moment, AfterValidator(_of_our_time)] | None = None
    reason: Words


class WithdrawBody(Body):
    """Why a change does not come after all."""

    model_config = shown({"reason": "the council has put it off"})

    reason: Words


class RatesOut(Message):
    """What things cost."""

    tax_bps: int
    platform_fee_bps: int
    service_fee_bps: int
    delivery_base_cents: int
    delivery_included_km: float
    delivery_cents_per_km: int


class RefundRulesOut(Message):
    """Which complaints need no person."""

    small_cents: int
    automatic_refunds: int


class InForceOut(Message):
    """What is in force in a market; deadlines in seconds."""

    rates: RatesOut
    refunds: RefundRulesOut
    most_service_radius_km: float
    payment_deadline_seconds: int
    chef_response_seconds: int
    scheduled_lead_seconds: int
    dispatch_alert_seconds: int
    dispatch_give_up_seconds: int
    pickup_overdue_seconds: int
    delivery_overdue_seconds: int
    refund_overdue_seconds: int
    complaint_window_seconds: int
    tip_window_seconds: int


class SettingOut(Message):
    """A change: `values` is the part that is otherwise from `effectiveFrom` on, unless it was
    withdrawn before.
    """

    model_config = shown(examples.SETTING)

    id: UUID
    effective_from: At
    values: dict[str, Any]
    reason: str
    created_by: UUID
    created_at: At
    withdrawn_at: At | None
    withdrawn_by: UUID | None
    withdrawal_reason: str | None


class MarketOut(Message):
    """A market, what is in force there, and how many changes are coming."""

    model_config = shown(examples.MARKET)

    name: str
    timezone: str
    country: str
    currency: str
    in_force: InForceOut
    coming: int


class MarketSettingsOut(Page[SettingOut]):
    """What is in force in a market, what is `coming` (the next first), and all that was ever said,
    the latest first.
    """

    in_force: InForceOut
    coming: list[SettingOut]


def in_force(found: InForce) -> InForceOut:
    """What is in force, for operators."""
    return InForceOut.model_validate(found.values)


def market(name: str, found: InForce, coming: int) -> MarketOut:
    """A market, for operators."""
    return MarketOut(
        name=name,
        timezone=found.timezone,
        country=found.market.country,
        currency=found.rates.currency,
        in_force=in_force(found),
        coming=coming,
    )


def setting(row: MarketSetting, withdrawn: MarketSetting | None = None) -> SettingOut:
    """A change, for operators."""
    return SettingOut(
        **row.model_dump(include={"id", "effective_from", "reason", "created_by", "created_at"}),
        values=ValuesBody.model_validate(row.values, by_name=True).model_dump(
            by_alias=True, exclude_none=True
        ),
        withdrawn_at=withdrawn.created_at if withdrawn else None,
        withdrawn_by=withdrawn.created_by if withdrawn else None,
        withdrawal_reason=withdrawn.reason if withdrawn else None,
    )


def entry(found: Entry) -> SettingOut:
    """A change and its withdrawal, for operators."""
    return setting(found.row, found.withdrawn)


def touched(found: InForce, said: dict[str, Any]) -> dict[str, Any]:
    """What stood where a change says something else."""
    stands = found.values
    return {
        name: {inner: stands[name][inner] for inner in value}
        if isinstance(value, dict)
        else stands[name]
        for name, value in said.items()
    }
