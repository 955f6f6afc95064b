"""A token may outlive its account: nothing about money is done in the name of nobody."""

from uuid import uuid4

import pytest

from domain.order_status import OrderStatus
from local.cast import Cast, token
from local.people import Person, Unanswered
from local.world import Somebody
from tests.api import disputes


async def test_an_admin_whose_account_is_gone_changes_nothing_about_money(play: Cast) -> None:
    order = await play.bring(OrderStatus.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    ghost = Person(play.environment["API_URL"], "ghost@example.com")
    ghost.use_token(token(play.environment, Somebody(uuid4(), "admin-ghost@example.com", uuid4())))
    before = await play.admin.get(f"/admin/disputes/{dispute_id}")

    hold = {"held": True, "reason": "boo"}
    for asked in (
        ghost.ask("PUT", f"/admin/payees/chef/{play.world.chef.id}/payouts", hold),
        ghost.post(f"/admin/orders/{order['id']}/refund", bearer="platform", reason="boo"),
        ghost.ask("PUT", f"/admin/disputes/{dispute_id}/evidence", {"text": "boo"}),
        ghost.post(f"/admin/disputes/{dispute_id}/submit"),
        ghost.post(f"/admin/disputes/{dispute_id}/concede", reason="boo"),
    ):
        with pytest.raises(Unanswered) as refused:
            await asked
        assert (refused.value.status, refused.value.code) == (401, "unauthorized")
    await ghost.leave()

    assert await play.admin.get(f"/admin/disputes/{dispute_id}") == before
    assert play.refunded(order) == []
