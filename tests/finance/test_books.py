"""Trial balances and statements: what is booked, read past the code that booked it."""

import csv
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.stack import PROJECT
from tests.finance.audited import by_hand, chef_account, orders_of, pay
from tests.finance.conftest import Ask
from tests.workflows.counting_house import CHEF, TODAY, CountingHouse

MONTH = f"{datetime.now(UTC):%Y-%m}"


def the_one(folder: Path, pattern: str) -> Path:
    """The only file of its kind."""
    [found] = folder.glob(pattern)
    return found


def text_of(pdf: bytes) -> str:
    """What a PDF shows: the texts of its pages, in the order in which they are drawn."""
    assert pdf.startswith(b"%PDF-")
    pages = re.findall(rb"/FlateDecode\n.*?stream\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = b"".join(zlib.decompress(page) for page in pages)
    shown = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", drawn)
    return " ".join(re.sub(rb"\\(.)", rb"\1", text).decode("latin-1") for text in shown)


@pytest.mark.usefixtures("orders")
async def test_a_trial_balance_sums_to_zero(house: CountingHouse, ask: Ask) -> None:
    await pay(house)

    answer = await ask("trial-balance")

    assert answer.status == 0, answer
    lines = {line.split()[0]: line.split()[1:] for line in answer.words.splitlines() if line}
    assert lines[chef_account(house)] == ["32.02", "USD", "32.02", "USD", "0.00", "USD"]
    assert lines["stripe_clearing"] == ["53.20", "USD", "42.02", "USD", "11.18", "USD"]
    assert lines["total"][-2:] == ["0.00", "USD"]
    assert lines["total"][0] == lines["total"][2]


@pytest.mark.usefixtures("orders")
async def test_a_trial_balance_counts_what_was_booked_before_a_moment(ask: Ask) -> None:
    answer = await ask("trial-balance", "--at", "2026-01-01")

    assert answer.status == 0, answer
    assert "before 2026-01-01 00:00:00 UTC" in answer.words
    assert "Nothing is booked." in answer.words


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE ledger_postings SET amount_cents = amount_cents + 1 WHERE account = :account",
            ":earned is off by 1 usd cents",
        ),
        (
            "DELETE FROM ledger_postings WHERE account = :account",
            ":earned is off by 1601 usd cents",
        ),
        (
            """DELETE FROM ledger_postings USING ledger_movements
            WHERE movement_id = ledger_movements.id AND event = 'earned'""",
            ":earned has no postings",
        ),
        ("DELETE FROM ledger_movements WHERE event = 'earned'", "has no movement"),
    ],
    ids=["changed", "removed", "emptied", "stray"],
)
async def test_books_that_were_changed_by_hand_do_not_balance(
    house: CountingHouse, ask: Ask, statement: str, words: str
) -> None:
    await orders_of(house, 1)
    await by_hand(house, statement, account=chef_account(house))

    answer = await ask("trial-balance")

    assert answer.status == 1, answer
    assert words in answer.words
    assert "come to the same" not in answer.words


@pytest.mark.usefixtures("orders")
async def test_a_cent_that_moved_between_two_movements_is_found(
    house: CountingHouse, ask: Ask
) -> None:
    await by_hand(
        house,
        """UPDATE ledger_postings SET amount_cents = amount_cents + moved.cents FROM
        (SELECT id, CASE row_number() OVER (ORDER BY id) WHEN 1 THEN 1 ELSE -1 END AS cents
         FROM ledger_postings WHERE account = :account) AS moved
        WHERE moved.id = ledger_postings.id""",
        account=chef_account(house),
    )

    answer = await ask("trial-balance")

    assert answer.status == 1, answer
    assert answer.words.count("is off by") == 2
    assert "differ by" not in answer.words, "in all they come to the same"


async def test_a_statement_adds_up(house: CountingHouse, ask: Ask, tmp_path: Path) -> None:
    numbers = await orders_of(house, 2, tip_cents=200)
    await pay(house)
    await house.owe(CHEF, house.world.chef, -300)

    chef = await ask(
        "statement", "--payee", chef_account(house), "--month", MONTH, "--to", tmp_path
    )
    driver = await ask("statement", "--payee", house.world.drivers[0].email, "--month", MONTH)

    assert chef.status == 0, chef
    table = the_one(tmp_path, "*usd.csv")
    with table.open(newline="") as file:
        first, *lines, last = csv.DictReader(file)
    assert (first["what"], first["balance"]) == ("opening balance", "0.00")
    assert [(line["what"], line["about"], line["amount"]) for line in lines] == [
        ("earning", numbers[0], "16.01"),
        ("earning", numbers[1], "16.01"),
        ("payout", f"for {TODAY}", "-32.02"),
        ("earning", "", "-3.00"),
    ]
    assert (last["what"], last["balance"]) == ("closing balance", "-3.00")
    assert [line["balance"] for line in lines] == ["16.01", "32.02", "0.00", "-3.00"]

    payouts = the_one(tmp_path, "*-payouts.csv")
    with payouts.open(newline="") as file:
        [payout] = csv.DictReader(file)
    assert (payout["amount"], payout["status"], payout["day"]) == ("32.02", "paid", str(TODAY))

    pdf = the_one(tmp_path, "*.pdf")
    shown = text_of(pdf.read_bytes())
    assert "Test Kitchen" in shown
    assert f"earning {numbers[1]} 16.01 USD 32.02 USD" in shown
    assert "closing balance -3.00 USD" in re.sub(" +", " ", shown)
    assert f"{TODAY} 32.02 USD paid" in shown

    assert driver.status == 0, driver
    assert re.search(rf"earning +{numbers[0]} +5\.00 USD +5\.00 USD", driver.words)
    assert re.search(rf"tip +{numbers[0]} +2\.00 USD +7\.00 USD", driver.words)
    assert re.search(r"closing balance +0\.00 USD", driver.words)


async def test_a_bonus_is_a_line_of_its_own_and_an_account_of_the_platforms(
    house: CountingHouse, ask: Ask
) -> None:
    [number] = await orders_of(house, 1, tip_cents=200, bonus_cents=300)
    await pay(house)

    driver = await ask("statement", "--payee", house.world.drivers[0].email, "--month", MONTH)
    balance = await ask("trial-balance")

    assert re.search(rf"earning +{number} +5\.00 USD +5\.00 USD", driver.words)
    assert re.search(rf"tip +{number} +2\.00 USD +7\.00 USD", driver.words)
    assert re.search(rf"bonus +{number} +3\.00 USD +10\.00 USD", driver.words)
    assert re.search(r"payout .*-10\.00 USD", driver.words)
    assert balance.status == 0, balance
    assert re.search(r"driver_bonuses +3\.00 USD +0\.00 USD +3\.00 USD", balance.words)


@pytest.mark.usefixtures("orders")
async def test_a_month_opens_with_what_the_one_before_closed_with(
    house: CountingHouse, ask: Ask
) -> None:
    await by_hand(house, "UPDATE ledger_movements SET booked_at = '2026-10-31T22:00-05:00'")

    before = await ask("statement", "--payee", chef_account(house), "--month", "2026-10")
    after = await ask("statement", "--payee", chef_account(house), "--month", "2026-11")

    # In UTC it is November already; the kitchen's clock counts.
    assert re.search(r"2026-10-31 +earning", before.words)
    assert re.search(r"opening balance +32\.02 USD\n +closing balance +32\.02 USD", after.words)


@pytest.mark.parametrize(
    ("payee", "words"),
    [
        ("nobody@example.com", "there is no chef or driver nobody@example.com"),
        ("cook:1", "cook:1 is not chef:UUID, driver:UUID or an e-mail address"),
        ("chef:00000000-0000-0000-0000-000000000001", "nothing was ever booked for chef:"),
    ],
)
async def test_a_statement_of_nobody_is_refused(ask: Ask, payee: str, words: str) -> None:
    answer = await ask("statement", "--payee", payee, "--month", MONTH)

    assert (answer.status, answer.words) == (2, "")
    assert words in answer.trouble


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing"),
        ("TEMPORAL_ADDRESS", "127.0.0.1:1"),
    ],
)
async def test_who_does_not_answer_gives_no_verdict(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    monkeypatch.setenv(variable, address)

    answer = await ask("replay", "--date", TODAY)

    assert (answer.status, answer.words) == (3, "")
    assert answer.trouble.startswith("could not ask: ")


def test_finance_is_a_command(environment: Mapping[str, str]) -> None:
    def run(
        *arguments: str, module: Sequence[str] = ("finance",), **told: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", *module, *arguments],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], **told},
            capture_output=True,
            text=True,
            check=False,
        )

    balanced = run("trial-balance", **environment)
    assert balanced.returncode == 0, balanced.stderr
    assert "Trial balance before " in balanced.stdout

    by_make = run("trial-balance", module=("local", "run", "finance"), **environment)
    assert by_make.returncode == 0, by_make.stderr

    unknown = run("replay", "--date", "2025-01-01", **environment)
    assert unknown.returncode == 2, unknown.stderr
    assert "no payouts were run for 2025-01-01" in unknown.stderr

    nowhere = run("trial-balance")
    assert nowhere.returncode == 2
    assert "DATABASE_URL" in nowhere.stderr
    assert run("trial-balance", "--at", "yesterday").returncode == 2
