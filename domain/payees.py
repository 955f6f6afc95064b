"""Whom we pay, and what is worth saying when that becomes possible or stops being so.

Source: seed 000, Chef Onboarding (`stripe_onboarding_complete`).
"""

from enum import StrEnum

from domain.notifications import PayeeAlert


class PayeeKind(StrEnum):
    """Who earns."""

    CHEF = "chef"
    DRIVER = "driver"


def news(*, ever: bool, before: bool, now: bool) -> PayeeAlert | None:
    """What a payee is told when he could be paid `before` (or at any time: `ever`) and can `now`.

    None where nothing has changed.
    """
    if now == before:
        return None
    if not now:
        return PayeeAlert.PAYOUTS_DISABLED
    return PayeeAlert.PAYOUTS_RESTORED if ever else PayeeAlert.PAYOUTS_ENABLED
