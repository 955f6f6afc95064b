"""What was earned reaches the bank, and everybody concerned can see it, with everything running."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.payees import account_id
from local.people import Person, Unanswered, until
from local.stack import Stack
from tests.stacks import apart

S = OrderStatus


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: a payout run pays everybody to whom something is owed."""
    running = apart(tmp_path_factory.mktemp("bank"))
    running.up()
    yield running
    running.reset()


@pytest.fixture
async def play(bank: Stack) -> AsyncIterator[Cast]:
    """Everybody, with accounts that Stripe knows."""
    async with cast(await asyncio.to_thread(bank.environment)) as everybody:
        for payee in (everybody.world.chef, *everybody.world.drivers):
            await everybody.stripe_control("POST", "accounts", id=account_id(payee.id))
        yield everybody


def today() -> str:
    """The day that it is in the market: what is run for it pays what was booked so far."""
    return datetime.now(ZoneInfo("America/Chicago")).date().isoformat()


async def run(play: Cast) -> list[dict[str, Any]]:
    """Have what is owed paid."""
    begun: list[dict[str, Any]] = await play.admin.post("/admin/payouts/run", date=today())
    return begun


async def text(play: Cast, person: Person, path: str) -> list[dict[str, str]]:
    """A spreadsheet, line by line."""
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.get(
            f"/api/v1{path}",
            params={"format": "csv"},
            headers={"Authorization": person.authorization or ""},
        )
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


async def is_paid(person: Person, path: str) -> dict[str, Any]:
    """Wait until somebody's payout is in his bank."""

    async def paid() -> dict[str, Any] | None:
        page = await person.get(path)
        return next((p for p in page["data"] if p["status"] == "paid"), None)

    return await until(paid)


async def test_what_was_earned_reaches_the_bank_once(play: Cast) -> None:
    order = await play.bring(S.DELIVERED, tipCents=300)
    await play.stripe_control("POST", "balance", amount=10_000, currency="usd")
    chef = await play.chef.get("/chef/earnings")
    assert chef["sums"] == [
        {
            "currency": "usd",
            "earnedCents": 1601,
            "paidCents": 0,
            "inPayoutCents": 0,
            "owedCents": 1601,
        }
    ]

    [begun] = await run(play)
    assert begun["workflowId"].startswith("payout-run-")
    paid = await is_paid(play.chef, "/chef/payouts")
    await is_paid(play.drivers[0], "/delivery/payouts")
    await run(play)

    assert (paid["totalPaidCents"], paid["isHeld"]) == (1601, False)
    [earning] = paid["earnings"]
    assert (earning["orderId"], earning["earningCents"]) == (order["id"], 1601)
    assert (await play.chef.get("/chef/earnings"))["sums"][0]["paidCents"] == 1601
    [driven] = (await play.drivers[0].get("/delivery/earnings"))["data"]
    assert (driven["earningCents"], driven["payoutStatus"]) == (800, "paid")
    assert (await play.drivers[1].get("/delivery/payouts"))["data"] == []
    transfers = play.stripe.v1.transfers.list({"destination": account_id(play.world.chef.id)})
    assert [transfer.amount for transfer in transfers.data] == [1601]

    [line] = await text(play, play.chef, "/chef/payouts")
    assert (line["orderNumber"], line["earningCents"]) == (order["orderNumber"], "1601")
    [line] = await text(play, play.drivers[0], "/delivery/earnings")
    assert (line["event"], line["payoutStatus"]) == ("earned", "paid")


async def test_finance_reads_the_books(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)

    accounts = await play.admin.get("/admin/ledger/accounts", payees=True, limit=100)
    assert sum(account["balanceCents"] for account in accounts["data"]) == 0
    mine = await play.admin.get("/admin/ledger/movements", orderId=order["id"])
    assert [movement["event"] for movement in mine["data"]] == ["earned", "capture"]
    for movement in mine["data"]:
        assert sum(posting["amountCents"] for posting in movement["postings"]) == 0
    captures = await play.admin.get("/admin/ledger/movements", orderId=order["id"], event="capture")
    assert captures["total"] == 1
    of_chef = await play.admin.get(
        "/admin/ledger/movements", account=f"chef:{play.world.chef.id}", begin="2026-01-01"
    )
    assert [movement["orderId"] for movement in of_chef["data"]] == [order["id"]]


async def test_finance_corrects_a_movement_by_reversing_it_once(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    [earned, _] = (await play.admin.get("/admin/ledger/movements", orderId=order["id"]))["data"]
    path = f"/admin/ledger/movements/{earned['id']}/reverse"

    made = await play.admin.post(path, reason="delivered to the wrong door")
    assert made["event"] == "correction"
    assert {p["account"]: -p["amountCents"] for p in made["postings"]} == {
        p["account"]: p["amountCents"] for p in earned["postings"]
    }
    assert (await play.chef.get("/chef/earnings"))["sums"][0]["owedCents"] == 0
    with pytest.raises(Unanswered, match="not_reversible"):
        await play.admin.post(path, reason="twice")
    with pytest.raises(Unanswered, match="not_reversible"):
        await play.admin.post(
            f"/admin/ledger/movements/{made['id']}/reverse", reason="a correction of a correction"
        )


async def test_an_admin_stops_a_payees_payouts_and_lets_them_go_on(play: Cast) -> None:
    await play.bring(S.DELIVERED)
    await play.stripe_control("POST", "balance", amount=10_000, currency="usd")
    path = f"/admin/payees/chef/{play.world.chef.id}/payouts"

    held = await play.admin.put(path, held=True, reason="asks for another bank account")
    assert (held["held"], held["payoutStatus"]) == (True, None)
    with pytest.raises(Unanswered, match="already_held"):
        await play.admin.put(path, held=True, reason="twice")
    await run(play)
    await is_paid(play.drivers[0], "/delivery/payouts")
    assert (await play.chef.get("/chef/payouts"))["data"] == []

    assert not (await play.admin.put(path, held=False, reason="it was him"))["held"]
    with pytest.raises(Unanswered, match="not_held"):
        await play.admin.put(path, held=False, reason="twice")
    await run(play)
    await is_paid(play.chef, "/chef/payouts")


async def test_a_payout_that_the_bank_sends_back_is_owed_again(play: Cast) -> None:
    await play.bring(S.DELIVERED)
    await play.stripe_control("POST", "balance", amount=10_000, currency="usd")
    account = account_id(play.world.chef.id)
    await play.stripe_control("POST", f"accounts/{account}/payouts", outcome="failed")
    await run(play)

    async def came_back() -> dict[str, Any] | None:
        page = await play.chef.get("/chef/payouts")
        return next((p for p in page["data"] if p["status"] == "failed"), None)

    failed = await until(came_back)
    assert failed["failure"]
    assert [earning["earningCents"] for earning in failed["earnings"]] == [1601]
    assert (await play.chef.get("/chef/earnings"))["sums"][0]["owedCents"] == 1601
    seen = await play.admin.get("/admin/payouts", payeeId=str(play.world.chef.id), status="failed")
    assert [payout["id"] for payout in seen["data"]] == [failed["id"]]
    [standing] = await play.admin.get(f"/admin/payouts/runs/{failed['date']}")
    assert "failed" in [one["status"] for one in standing["standings"]]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/admin/payouts/run", {"date": "2999-01-31"}, "day_not_begun"),
        ("/admin/payouts/run", {"date": "2026-01-31", "market": "atlantis"}, "unknown_market"),
        ("/admin/payouts/run", {"date": "yesterday"}, "invalid_request"),
        ("/admin/payouts/run", {}, "invalid_request"),
    ],
)
async def test_a_run_that_cannot_be_is_refused(
    play: Cast, path: str, body: dict[str, Any], code: str
) -> None:
    with pytest.raises(Unanswered, match=code):
        await play.admin.post(path, **body)


async def test_bad_questions_about_the_books_get_a_clear_answer(play: Cast) -> None:
    with pytest.raises(Unanswered, match="ends_before_it_begins"):
        await play.chef.get("/chef/earnings", begin="2026-02-01", end="2026-01-31")
    with pytest.raises(Unanswered, match="too_late"):
        await play.chef.get("/chef/earnings", end="9999-12-31")
    with pytest.raises(Unanswered, match="not_found"):
        await play.admin.put(
            f"/admin/payees/driver/{play.world.chef.id}/payouts", held=True, reason="no such driver"
        )
