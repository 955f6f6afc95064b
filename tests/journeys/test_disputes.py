"""A disputed order from the customer's card to the bank's last word, as people see it."""

from uuid import UUID

from temporalio.api.sdk.v1 import WorkflowMetadata

from domain.disputes import Stage
from domain.ledger import Account, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from local.cast import Cast
from local.people import until
from tests.api import disputes
from tests.books import books
from workflows.connection import connect

S = OrderStatus
PHOTO = "https://photos.example/at-the-door.jpg"


async def test_proof_of_delivery_wins_a_dispute(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await play.driver_says(0, order, "delivered", proof={"photoUrl": PHOTO, "note": "at the door"})
    dispute_id = await disputes.opened(play, order, reason="product_not_received")
    await play.becomes(order, S.DISPUTED)
    path = f"/admin/disputes/{dispute_id}"

    await play.admin.put(f"{path}/evidence", text="winning_evidence")
    await play.admin.post(f"{path}/submit")

    at_stripe = play.stripe.v1.disputes.retrieve(dispute_id)
    assert f"Photo at the door: {PHOTO}" in (at_stripe.evidence.access_activity_log or "")
    await disputes.is_told(play, dispute_id, Stage.CLOSED)
    await play.becomes(order, S.DELIVERED)
    closed = await play.admin.get(path)
    assert (closed["outcome"], closed["withdrawnCents"], closed["reinstatedCents"]) == (
        "won",
        2660,
        2660,
    )
    assert (await books(play.database, UUID(order["id"])))[Account.STRIPE_CLEARING] == 2660


async def test_a_card_that_disputes_while_the_order_is_under_way_ends_it_refunded(
    play: Cast,
) -> None:
    order = await play.place(deliveryProof="none")
    await play.pay(order, "pm_card_createDisputeProductNotReceived")
    for status in ("accepted", "preparing", "ready_for_pickup"):
        await play.chef_says(order, status)
    await play.take(0, order)
    for status in ("picked_up", "in_transit", "delivered"):
        await play.driver_says(0, order, status)
    intent_id = play.intent_id(order)
    dispute_id = play.stripe.v1.disputes.list({"payment_intent": intent_id}).data[0].id
    await disputes.is_told(play, dispute_id, Stage.DISPUTE)
    # It was only an alert: the order went on.
    assert (await play.history(order))[-1] == S.DELIVERED

    await play.stripe_control("POST", f"disputes/{dispute_id}/decide", outcome="lost")

    await play.becomes(order, S.REFUNDED)
    on_books = await books(play.database, UUID(order["id"]))
    assert payable(PayeeKind.DRIVER, play.world.drivers[0].id) not in on_books
    assert Account.STRIPE_CLEARING not in on_books
    assert on_books[Account.DISPUTE_LOSSES] == 2660 - 160 - 500


async def test_ops_find_a_dispute_by_whose_it_is_and_read_what_it_waits_for(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    temporal = await connect(play.environment)
    run = temporal.get_workflow_handle(f"dispute-{dispute_id}")

    async def details() -> str:
        metadata = await run.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return metadata.current_details

    words = await until(details)

    assert "2660 cents" in words
    assert "goes off by itself" in words
    described = await run.describe()
    found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert {
        "ChefId": str(play.world.chef.id),
        "CustomerId": str(play.world.customer.id),
        "DriverId": str(play.world.drivers[0].id),
        "Zone": "austin",
        "TotalCents": 2660,
    }.items() <= found.items()
