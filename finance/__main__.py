"""`python -m finance`: what finance asks of the books, and the proof that payouts were right."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import stripe
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from temporalio.client import Client
from temporalio.service import RPCError

from domain.payees import PayeeKind
from finance import evidence, export, paper, replay, statement, trial_balance
from finance.histories import FromFiles, FromTemporal
from finance.problems import DIFFERENT, MISUSED, OK, UNREACHABLE, Misused, Tampered
from finance.sources import Kept, Live, Source
from providers.stripe import Stripe
from providers.stripe_payouts import Payouts
from schema.database import Database
from schema.messages.payees import PayeeRef
from schema.queries import books
from settings import Settings
from workflows.connection import connect

_EPILOG = """\
exit status:
  0  everything agrees
  1  something differs, and the output says what
  2  the question makes no sense, or is about something that does not exist
  3  the database, Temporal or Stripe could not be asked

DATABASE_URL, TEMPORAL_ADDRESS, STRIPE_API_KEY and the like say where, as for every process of
RideNDine (settings.py); `make finance ARGS="..."` asks what `make up` has started.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; answers with the exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command == "replay":
        if asked.market is not None and asked.date is None:
            parser.error("--market goes with --date")
        if asked.extract and asked.histories is None:
            parser.error("--extract goes with --histories")
    try:
        return asyncio.run(_do(asked))
    except Misused as error:
        print(error, file=sys.stderr)
        return MISUSED
    except Tampered as error:
        print(error, file=sys.stderr)
        return DIFFERENT
    except (DBAPIError, OSError, RPCError, stripe.StripeError) as error:
        print(f"could not ask: {error}", file=sys.stderr)
        return UNREACHABLE


async def _do(asked: argparse.Namespace) -> int:
    try:
        return await _run(asked)
    finally:
        # A process that ends right after a replayer or a client has closed can abort in the SDK's
        # native threads.
        await asyncio.sleep(0.3)


async def _run(asked: argparse.Namespace) -> int:
    match asked.command:
        case "replay":
            return await _replay(asked)
        case "export":
            return await _export(asked)
        case "statement":
            return await _statement(asked)
        case _:
            async with _database(_settings()) as database:
                balance = await trial_balance.trial_balance(database, asked.at)
            print(trial_balance.show(balance))
            return balance.status


async def _replay(asked: argparse.Namespace) -> int:
    if asked.histories is None:
        async with _everything() as (client, source, settings):
            kept = FromTemporal(client)
            if asked.payout is not None:
                matter = await evidence.of_payout(source, asked.payout)
            else:
                markets = _markets(settings, asked.market)
                matter = await evidence.of_day(kept, source, asked.date, asked.market, markets)
            report = await replay.replay(kept, source, matter)
    else:
        report = await _replay_kept(asked.histories, extract=asked.extract)
    print(replay.show(report))
    return report.status


async def _replay_kept(folder: Path, *, extract: bool) -> replay.Report:
    about, market = export.verify(folder)
    kept = FromFiles(folder / export.HISTORIES)

    async def look(source: Source) -> replay.Report:
        markets = kept.markets(about)
        matter = await evidence.of_day(kept, source, about, market, markets)
        return await replay.replay(kept, source, matter)

    if extract:
        return await look(Kept(folder))
    settings = _settings()
    async with _books_and_stripe(settings) as source:
        return await look(source)


async def _export(asked: argparse.Namespace) -> int:
    async with _everything() as (client, source, settings):
        kept, markets = FromTemporal(client), _markets(settings, asked.market)
        matter = await evidence.of_day(kept, source, asked.date, asked.market, markets)
        export.prepare(asked.to, force=asked.force)
        files = await export.export(kept, source, matter, asked.to, asked.market)
    print(
        f"{len(matter.subjects)} payees of {asked.date}: {files} files and their sums in {asked.to}"
    )
    return OK


async def _statement(asked: argparse.Namespace) -> int:
    settings = _settings()
    async with _database(settings) as database:
        ref = await _payee(database, asked.payee)
        found = await statement.statements(database, ref, asked.month, settings.markets)
    if not found:
        raise Misused(f"nothing was ever booked for {asked.payee}")
    for number, one in enumerate(found):
        print(("\n" if number else "") + statement.show(one))
        if asked.to is not None:
            for path in paper.write(one, asked.to):
                print(path)
    return OK


async def _payee(database: Database, asked: str) -> PayeeRef:
    async with database.read() as session:
        if "@" in asked:
            found = await books.payees_with(session, asked)
            if len(found) > 1:
                raise Misused(f"{asked} is a chef and a driver: say chef:UUID or driver:UUID")
        else:
            found = [_ref(asked)]
    if not found:
        raise Misused(f"there is no chef or driver {asked}")
    return found[0]


def _ref(asked: str) -> PayeeRef:
    kind, _, payee_id = asked.partition(":")
    try:
        return PayeeRef(kind=PayeeKind(kind), payee_id=UUID(payee_id))
    except ValueError as error:
        raise Misused(f"{asked} is not chef:UUID, driver:UUID or an e-mail address") from error


def _markets(settings: Settings, market: str | None) -> list[str]:
    if market is not None and market not in settings.markets:
        known = ", ".join(sorted(settings.markets))
        raise Misused(f"there is no market {market}; MARKETS has {known}")
    return list(settings.markets)


@asynccontextmanager
async def _everything() -> AsyncIterator[tuple[Client, Live, Settings]]:
    settings = _settings()
    async with _books_and_stripe(settings) as source:
        try:
            client = await connect()
        except RuntimeError as error:
            raise OSError(f"Temporal: {error}") from error
        yield client, source, settings


@asynccontextmanager
async def _books_and_stripe(settings: Settings) -> AsyncIterator[Live]:
    at_stripe = Stripe(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.stripe_timeout_seconds,
        max_network_retries=settings.stripe_max_network_retries,
    )
    try:
        async with _database(settings) as database:
            yield Live(database, Payouts(at_stripe))
    finally:
        await at_stripe.aclose()


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url, pool_size=2)
    try:
        yield database
    finally:
        await database.close()


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(str(one["loc"][0]).upper() for one in error.errors())
        raise Misused(
            f"not set, or not to anything that makes sense: {names}."
            " On one machine, `make up` and then `make finance` know them."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m finance",
        description="Ask the books, and prove that payouts were right.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_replay(commands)
    _add_export(commands)
    _add_statement(commands)
    about = "all accounts with debits, credits and balances; fails unless they sum to zero"
    balance = commands.add_parser("trial-balance", help=about, description=f"Show {about}.")
    balance.add_argument(
        "--at",
        type=moment,
        default=datetime.now(UTC),
        metavar="MOMENT",
        help="count what was booked before it: 2026-11-22, or 2026-11-22T06:00-06:00 (UTC where no"
        " offset is given); now by default",
    )
    return parser


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "replay",
        help="prove the payouts of a day: replay, recompute, ask Stripe, compare",
        description="Replay the histories of payouts with today's code, recompute from the ledger"
        " what each payee should have had, ask Stripe what moved, and compare. Prints a line for"
        " each payee; what differs comes with the orders behind it.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--date", type=day, metavar="DAY", help="all payouts of a day: 2026-11-21")
    what.add_argument("--payout", type=payout_id, metavar="ID", help="one payout, by its id")
    what.add_argument(
        "--histories",
        type=Path,
        metavar="DIR",
        help="what `export` wrote: histories come from there, not from Temporal",
    )
    parser.add_argument("--market", help="with --date: one market only")
    parser.add_argument(
        "--extract",
        action="store_true",
        help="with --histories: books and Stripe's word come from there, too, and nobody is asked",
    )


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export",
        help="write a day's histories and books to files, with their sums",
        description="Write down what `replay --histories DIR` needs: the histories of a day's"
        " payouts as JSON that Temporal's UI reads, the payees' part of the ledger as CSV, what"
        " Stripe says, and a manifest of SHA-256 sums.",
    )
    parser.add_argument("--date", type=day, required=True, metavar="DAY", help="2026-11-21")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="an empty folder")
    parser.add_argument("--market", help="one market only")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an earlier export",
    )


def _add_statement(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "statement",
        help="a payee's month: what he earned and was paid, line by line",
        description="Show a payee's month by his market's clock: opening balance, each order's"
        " earning, tips, refunds and debts, payouts, closing balance.",
    )
    parser.add_argument(
        "--payee", required=True, help="chef:UUID, driver:UUID, or the e-mail address"
    )
    parser.add_argument("--month", type=month, required=True, help="2026-11")
    parser.add_argument("--to", type=Path, metavar="DIR", help="write it there, too: CSV and PDF")


def day(text: str) -> date:
    """2026-11-21."""
    return date.fromisoformat(text)


def month(text: str) -> date:
    """2026-11, as its first day."""
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()


def moment(text: str) -> datetime:
    """2026-11-22T06:00-06:00, in UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def payout_id(text: str) -> UUID:
    """The id of a payout's row."""
    return UUID(text)


if __name__ == "__main__":
    sys.exit(main())
