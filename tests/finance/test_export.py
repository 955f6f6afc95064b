"""What was exported proves a day when Temporal, the database and Stripe are all gone."""

import csv
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from domain.ledger import payable
from domain.payees import PayeeKind
from tests.finance.audited import by_hand, chef_account, of_chef, orders_of, pay
from tests.finance.conftest import Ask
from tests.workflows.counting_house import TODAY, CountingHouse


@pytest.fixture
async def exported(house: CountingHouse, orders: list[str], ask: Ask, tmp_path: Path) -> Path:
    """A day that went well, exported."""
    assert orders
    await pay(house)
    answer = await ask("export", "--date", TODAY, "--to", tmp_path / "kept")
    assert answer.status == 0, answer
    assert answer.words.startswith(f"2 payees of {TODAY}: ")
    return tmp_path / "kept"


async def test_an_export_is_proof_without_any_server(
    exported: Path, house: CountingHouse, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await ask("replay", "--date", TODAY)
    for name in ("DATABASE_URL", "STRIPE_API_BASE", "STRIPE_API_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    answer = await ask("replay", "--histories", exported, "--extract")

    assert answer.status == 0, answer
    assert answer.words == asked.words
    assert chef_account(house) in answer.words


async def test_a_bonus_is_part_of_what_is_exported_and_proved(
    house: CountingHouse, ask: Ask, tmp_path: Path
) -> None:
    await orders_of(house, 1, bonus_cents=300)
    await pay(house)
    assert (await ask("export", "--date", TODAY, "--to", tmp_path / "kept")).status == 0

    live = await ask("replay", "--date", TODAY)
    kept = await ask("replay", "--histories", tmp_path / "kept", "--extract")

    driver = payable(PayeeKind.DRIVER, house.world.drivers[0].id)
    [said] = [line for line in live.words.splitlines() if line.startswith(driver)]
    assert said.split()[-7:] == ["8.00", "USD", "8.00", "USD", "8.00", "USD", "ok"]
    assert (live.status, kept.status) == (0, 0)
    assert kept.words == live.words


async def test_exported_histories_are_held_against_todays_books(
    exported: Path,
    house: CountingHouse,
    orders: list[str],
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payout = await of_chef(house)
    await by_hand(house, "UPDATE payouts SET total_paid_cents = 9999 WHERE id = :id", id=payout.id)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    against_today = await ask("replay", "--histories", exported)
    as_it_was = await ask("replay", "--histories", exported, "--extract")

    assert against_today.status == 1, against_today
    assert "its row says 99.99 USD" in against_today.words
    assert orders[0] in against_today.words
    assert as_it_was.status == 0, as_it_was


@pytest.mark.parametrize("file", ["stripe.json", "ledger/postings.csv", "histories"])
async def test_one_byte_that_was_changed_is_noticed(exported: Path, ask: Ask, file: str) -> None:
    path = exported / file
    if path.is_dir():
        path = min(path.iterdir())
    before = path.read_bytes()
    path.write_bytes(before.replace(b"1", b"7", 1))

    answer = await ask("replay", "--histories", exported, "--extract")

    assert (answer.status, answer.words) == (1, "")
    assert f"{path.relative_to(exported)} has been changed" in answer.trouble


async def test_files_that_are_gone_or_were_added_are_noticed(exported: Path, ask: Ask) -> None:
    (exported / "ledger" / "items.csv").unlink()
    (exported / "histories" / "payout-of-my-own.1.json").write_text("{}")

    answer = await ask("replay", "--histories", exported, "--extract")

    assert answer.status == 1
    assert "ledger/items.csv is missing" in answer.trouble
    assert "histories/payout-of-my-own.1.json was not exported" in answer.trouble


async def test_a_history_that_is_missing_is_said_of_its_payee(
    exported: Path, house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    for name in list(manifest["files"]):
        if f"payout-{house.world.chef.id}" in name:
            (exported / name).unlink()
            del manifest["files"][name]
    (exported / "manifest.json").write_text(json.dumps(manifest))

    answer = await ask("replay", "--histories", exported, "--extract")

    assert answer.status == 1, answer
    assert "32.02 USD  missing history\n" in answer.words
    assert orders[0] in answer.words


async def test_an_export_does_not_write_over_what_is_there(exported: Path, ask: Ask) -> None:
    refused = await ask("export", "--date", TODAY, "--to", exported)
    assert refused.status == 2
    assert "is not empty" in refused.trouble

    (exported / "my notes.txt").write_text("not an export's")
    careful = await ask("export", "--date", TODAY, "--to", exported, "--force")
    assert careful.status == 2
    assert "my notes.txt" in careful.trouble
    (exported / "my notes.txt").unlink()

    again = await ask("export", "--date", TODAY, "--to", exported, "--force")
    assert again.status == 0, again
    assert (await ask("replay", "--histories", exported, "--extract")).status == 0


async def test_the_files_are_what_others_read(exported: Path, house: CountingHouse) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["date"] == str(TODAY)
    [run] = [name for name in manifest["files"] if "payout-run-" in name]
    WorkflowHistory.from_json("payout-run", (exported / run).read_text())

    with (exported / "ledger" / "postings.csv").open(newline="") as file:
        postings = list(csv.DictReader(file))
    assert sum(int(posting["amount_cents"]) for posting in postings) == 0
    assert chef_account(house) in {posting["account"] for posting in postings}
