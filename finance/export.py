"""`export`: a day's histories and books as files, to be checked when all else is gone.

manifest.json    what day it is about, and the SHA-256 sum of every other file
histories/       a file for each run of a workflow, as Temporal's UI and CLI have them
ledger/          accounts, movements, postings, payouts and their items, as CSV
stripe.json      what Stripe says of each payout
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from temporalio.client import WorkflowHistory

from finance import evidence
from finance.evidence import Matter
from finance.histories import Histories, file_name
from finance.problems import Misused, Tampered
from finance.sources import LEDGER, STRIPE, TABLES, Source, write_table
from schema.messages.base import Message
from schema.messages.books import AtStripe

MANIFEST = "manifest.json"
HISTORIES = "histories"


def prepare(folder: Path, *, force: bool) -> None:
    """Make room for an export; with `force`, an earlier one gives way, finished or not.

    Raises Misused, having removed nothing, when there is anything else.
    """
    if folder.exists() and not folder.is_dir():
        raise Misused(f"{folder} is not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    if there and not force:
        raise Misused(f"{folder} is not empty (--force replaces an earlier export)")
    others = [path for path in there if not _is_ours(path)]
    if others:
        names = ", ".join(str(path) for path in others)
        raise Misused(f"{folder} holds what is no export's: {names}")
    # The manifest first: it says that the rest is whole.
    for path in sorted(there, key=lambda path: path != Path(MANIFEST)):
        (folder / path).unlink()
    for name in (HISTORIES, LEDGER):
        (folder / name).mkdir(exist_ok=True)


async def export(
    kept: Histories, source: Source, matter: Matter, folder: Path, market: str | None
) -> int:
    """Write all of a matter down; answers with the number of files. The manifest comes last."""
    rows: Mapping[str, dict[str, Message]] = {name: {} for name in TABLES}
    at_stripe: list[AtStripe] = []
    written: list[str] = []
    for chain in matter.runs.values():
        written += _write(folder, chain)
    async for batch in evidence.batches(kept, source, matter):
        for chain in batch.histories.values():
            written += _write(folder, chain)
        for name, found in rows.items():
            # An order's movement is a chef's and a driver's alike.
            found |= {_key(row): row for row in getattr(batch.books, name)}
        at_stripe += batch.stripe.values()
    for name, kind in TABLES.items():
        write_table(folder / LEDGER / f"{name}.csv", kind, rows[name].values())
        written.append(f"{LEDGER}/{name}.csv")
    told = [about.model_dump(mode="json") for about in at_stripe]
    (folder / STRIPE).write_text(json.dumps(told, indent=2) + "\n")
    written.append(STRIPE)
    manifest = {
        "date": str(matter.day),
        "market": market,
        "exportedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {name: _sum(folder / name) for name in sorted(written)},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return len(written)


def verify(folder: Path) -> tuple[date, str | None]:
    """Whether an export is as it was written; answers with its day and market.

    Raises Tampered with the names of files that are not, and Misused when there is no export.
    """
    if not (folder / MANIFEST).is_file():
        raise Misused(f"{folder} holds no finished export: there is no {MANIFEST}")
    listed = _listed(folder)
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    wrong = [
        *(f"{name} is missing" for name in sorted(set(listed) - found)),
        *(f"{name} was not exported" for name in sorted(found - set(listed))),
        *(
            f"{name} has been changed"
            for name, known in listed.items()
            if name in found and _sum(folder / name) != known
        ),
    ]
    if wrong:
        raise Tampered(f"{folder} is not as it was exported: {', '.join(wrong)}")
    about = json.loads((folder / MANIFEST).read_text())
    return date.fromisoformat(about["date"]), about["market"]


def _write(folder: Path, chain: Collection[WorkflowHistory]) -> list[str]:
    names = []
    for number, history in enumerate(chain, start=1):
        name = f"{HISTORIES}/{file_name(history, number)}"
        (folder / name).write_text(history.to_json() + "\n")
        names.append(name)
    return names


def _is_ours(path: Path) -> bool:
    return str(path) in {
        MANIFEST,
        STRIPE,
        *(f"{LEDGER}/{name}.csv" for name in TABLES),
    } or path.match(f"{HISTORIES}/payout-*.json")


def _key(row: Message) -> str:
    """What a row is known by: its id, or all that there is of it."""
    return str(getattr(row, "id", None) or row.model_dump_json())


def _listed(folder: Path) -> dict[str, str]:
    files: dict[str, str] = json.loads((folder / MANIFEST).read_text())["files"]
    return files


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
