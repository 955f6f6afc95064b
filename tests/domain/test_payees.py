"""What a payee is told when he can be paid, cannot any more, can again."""

import pytest

from domain.notifications import PayeeAlert
from domain.payees import news


@pytest.mark.parametrize(
    ("ever", "before", "now", "told"),
    [
        (False, False, False, None),
        (False, False, True, PayeeAlert.PAYOUTS_ENABLED),
        (True, True, True, None),
        (True, True, False, PayeeAlert.PAYOUTS_DISABLED),
        (True, False, False, None),
        (True, False, True, PayeeAlert.PAYOUTS_RESTORED),
    ],
)
def test_a_change_is_news_and_nothing_else_is(
    ever: bool, before: bool, now: bool, told: PayeeAlert | None
) -> None:
    assert news(ever=ever, before=before, now=now) is told
