"""What is to be said of a payee's payout, once all about it is on the table.

Three say what he was paid, and have to agree: the books, from which what was owed is recomputed;
the workflow's histories and the rows that it wrote; and Stripe.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain import audit
from domain.audit import Entry, Owed, Taken
from domain.ledger import Account
from domain.payouts import Outcome, PayoutStatus
from finance.deeds import Did
from finance.evidence import Due, Subject
from finance.printing import money
from finance.records import Records
from schema.messages.books import AtStripe, PayoutRow, StripeTransfer

S = PayoutStatus

OK = "ok"
RETURNED = "failed and returned"
UNDER_WAY = "under way"
WAITING = "waiting"
MISSING_HISTORY = "missing history"
MISSING_AT_STRIPE = "missing at Stripe"
NOT_DETERMINISTIC = "not deterministic"
DIFFERS = "differs"

_SO_FAR = {S.CLAIMED: WAITING, S.PAID: OK, S.FAILED: RETURNED}
_UNPAID = {
    Outcome.HELD: "held",
    Outcome.NOT_PAYABLE: "not payable",
    Outcome.NOTHING_DUE: "nothing due",
}
_MOVED = frozenset({S.TRANSFERRED, S.IN_TRANSIT, S.PAID, S.RETURNING, S.FAILED})
_REFUSED = frozenset({"failed", "canceled"})


@dataclass(frozen=True)
class Case:
    """A payee's payout for a day, and all that is known of it.

    `failures` say how his histories did not replay, `was_begun` whether a run says that it began
    with him. `due` is there when one should have.
    """

    subject: Subject
    did: Sequence[Did]
    failures: Sequence[str]
    row: PayoutRow | None
    records: Records
    at_stripe: AtStripe | None
    was_begun: bool
    due: Due | None


@dataclass(frozen=True)
class Finding:
    """What is said of a case. `wrong` says all that does not agree, with the orders behind it."""

    subject: Subject
    name: str
    owed: int
    paid: int
    at_stripe: int
    verdict: str
    wrong: Sequence[str] = ()
    behind: Sequence[str] = ()


@dataclass(frozen=True)
class _Facts:
    case: Case
    name: str
    entries: Sequence[Entry]
    payouts: Sequence[Taken]


def examine(case: Case) -> Finding | None:
    """What is to be said of a case; None when it is none (another market's payee)."""
    account, currency = case.subject.account, case.subject.currency
    whose = case.records.account(account)
    facts = _Facts(
        case,
        whose.name if whose else "",
        case.records.entries(account, currency),
        case.records.taken(account, currency),
    )
    return _unpaid(facts) if case.row is None else _paid(facts, case.row)


def _paid(facts: _Facts, row: PayoutRow) -> Finding:
    case = facts.case
    mine = next(taken for taken in facts.payouts if taken.payout_id == row.id)
    starts = [did.start.terms.cut_off for did in case.did]
    # A payout that a later run took up again was started with that run's cut-off, too.
    cut_off = min(starts, default=row.created_at)
    due = audit.owed_to(mine, facts.entries, facts.payouts, cut_off)
    wrongly, missed = audit.misplaced(mine, facts.entries, due.entries)
    twice = audit.twice(mine, facts.entries, facts.payouts)
    wrong = [
        *(f"{NOT_DETERMINISTIC}: {words}" for words in case.failures),
        *_in_history(case, row),
        *(f"{DIFFERS}: {words}" for words in _in_books(facts, row, due, mine)),
    ]
    if twice:
        wrong.append(f"{DIFFERS}: {len(twice)} of its postings are in another payout, too")
    wrong += _in_stripe(row, case.at_stripe)
    behind: list[str] = []
    if wrong:
        behind = [
            *_lines(twice, row.currency, "is in another payout, too"),
            *_lines(wrongly, row.currency, "is paid and was not owed"),
            *_lines(missed, row.currency, "was owed and is not in it"),
            *_lines([e for e in facts.entries if e.id in mine.items], row.currency, "is in it"),
        ]
    moved = sum(one.amount_cents - one.reversed_cents for one in _transfers(case.at_stripe))
    return Finding(
        subject=case.subject,
        name=facts.name,
        owed=due.cents,
        paid=0 if row.status is S.FAILED else row.cents,
        at_stripe=moved,
        verdict=wrong[0] if wrong else _SO_FAR.get(row.status, UNDER_WAY),
        wrong=wrong,
        behind=behind,
    )


def _unpaid(facts: _Facts) -> Finding | None:
    case, currency = facts.case, facts.case.subject.currency
    owed = Owed(0, ())
    if case.due is not None:
        owed = audit.owed(
            facts.entries, facts.payouts, cut_off=case.due.terms.cut_off, at=case.due.at
        )
        if not case.did and not _belongs(facts, owed, case.due.terms.market):
            return None
    wrong = [f"{NOT_DETERMINISTIC}: {words}" for words in case.failures]
    verdict = WAITING
    last = case.did[-1].claimed if case.did else None
    if last is not None and last.payout is not None:
        cents = money(last.payout.cents, currency)
        wrong.append(f"{DIFFERS}: its history set {cents} aside, and there is no payout")
    elif last is not None:
        verdict = _UNPAID[last.outcome]
        if last.outcome is Outcome.NOTHING_DUE and owed.cents:
            wrong.append(
                f"{DIFFERS}: owed {money(owed.cents, currency)}, and found to be owed nothing"
            )
    elif case.was_begun and not case.did:
        wrong.append(MISSING_HISTORY)
    elif case.due is not None and case.due.run_is_over and not case.did:
        wrong.append(
            f"{DIFFERS}: owed {money(owed.cents, currency)}, and the run did not begin with him"
        )
    return Finding(
        subject=case.subject,
        name=facts.name,
        owed=owed.cents,
        paid=0,
        at_stripe=0,
        verdict=wrong[0] if wrong else verdict,
        wrong=wrong,
        behind=_lines(owed.entries, currency, "was owed") if wrong else (),
    )


def _belongs(facts: _Facts, owed: Owed, market: str) -> bool:
    """Whether it is this market that pays him: a chef's kitchen's, else the latest he earned in."""
    account = facts.case.records.account(facts.case.subject.account)
    kitchen = account.market if account else None
    latest = next((e.market for e in reversed(owed.entries) if e.market), None)
    return (kitchen or latest or market) == market


def _in_history(case: Case, row: PayoutRow) -> Iterator[str]:
    claims = [did.claimed.payout for did in case.did if did.claimed and did.claimed.payout]
    # Whoever takes a payout up again finds it claimed, and mostly further than that.
    if not any(claim.status is S.CLAIMED for claim in claims):
        yield MISSING_HISTORY
    currency = row.currency
    for claim in claims:
        if (claim.id, claim.cents) != (row.id, row.cents):
            yield (
                f"{DIFFERS}: its history set {money(claim.cents, currency)} aside,"
                f" its row says {money(row.cents, currency)}"
            )
    last = case.did[-1] if case.did else None
    if last is None:
        return
    if last.view is not None and last.view.payout is not None:
        ended = last.view.payout.status
        if ended is not row.status:
            yield f"{DIFFERS}: its history ended as {ended}, its row says {row.status}"
    seen = last.payout
    if seen is not None and seen.transfer_id not in {None, row.transfer_id}:
        yield f"{DIFFERS}: its history made {seen.transfer_id}, its row says {row.transfer_id}"


def _in_books(facts: _Facts, row: PayoutRow, due: Owed, mine: Taken) -> Iterator[str]:
    currency = row.currency
    if due.cents != row.cents:
        yield f"owed {money(due.cents, currency)}, paid {money(row.cents, currency)}"
    listed = sum(entry.cents for entry in facts.entries if entry.id in mine.items)
    if listed != row.cents:
        yield f"its postings come to {money(listed, currency)}, not {money(row.cents, currency)}"
    live = {False: mine.live_items, True: mine.items - mine.live_items}
    if live[row.status is S.FAILED] != mine.items:
        yield "some of its postings are released, or not, as its state does not have it"
    if facts.case.records.booked_for(row.id) != _bookings(facts.case.subject.account, row):
        yield f"what is booked for it is not what a payout of its amount books when {row.status}"


def _bookings(account: str, row: PayoutRow) -> Mapping[str, int]:
    match row.status:
        case S.CLAIMED | S.FAILED:
            return {}
        case S.PAID:
            return {Account.STRIPE_CLEARING: -row.cents, account: row.cents}
        case _:
            return {Account.STRIPE_CLEARING: -row.cents, Account.PAYOUTS_IN_TRANSIT: row.cents}


def _in_stripe(row: PayoutRow, about: AtStripe | None) -> Iterator[str]:
    transfers = _transfers(about)
    if row.status in _MOVED and row.transfer_id not in {one.id for one in transfers}:
        yield f"{MISSING_AT_STRIPE}: transfer {row.transfer_id}"
    elif transfers:
        yield from (f"{DIFFERS}: {words}" for words in _moved(row, transfers))
    sent = about.sent if about else []
    if row.stripe_payout_id is not None and row.stripe_payout_id not in {o.id for o in sent}:
        yield f"{MISSING_AT_STRIPE}: payout {row.stripe_payout_id}"
        return
    on_the_way = [one for one in sent if one.status not in _REFUSED]
    cents = sum(one.amount_cents for one in on_the_way)
    if len(on_the_way) > 1 or (on_the_way and cents != row.cents):
        ids = ", ".join(one.id for one in on_the_way)
        yield f"{DIFFERS}: Stripe sent {money(cents, row.currency)} to the bank ({ids})"
    if row.status is S.FAILED and on_the_way:
        yield f"{DIFFERS}: Stripe sent to the bank what came back: {on_the_way[0].id}"
    if row.status is S.PAID and not any(one.status == "paid" for one in sent):
        states = ", ".join(f"{one.id} is {one.status}" for one in sent)
        yield f"{DIFFERS}: paid, and at Stripe {states or 'nothing was sent'}"


def _moved(row: PayoutRow, transfers: Sequence[StripeTransfer]) -> Iterator[str]:
    moved = sum(one.amount_cents for one in transfers)
    if moved != row.cents or any(one.currency != row.currency for one in transfers):
        ids = ", ".join(f"{one.id}: {money(one.amount_cents, one.currency)}" for one in transfers)
        yield f"Stripe moved {money(moved, row.currency)} ({ids})"
    back = sum(one.reversed_cents for one in transfers)
    right = {S.FAILED: {row.cents}, S.RETURNING: {0, row.cents}}.get(row.status, {0})
    if back not in right:
        yield f"Stripe fetched {money(back, row.currency)} back"


def _transfers(about: AtStripe | None) -> Sequence[StripeTransfer]:
    return about.transfers if about else []


def _lines(entries: Sequence[Entry], currency: str, what: str) -> list[str]:
    return [f"{entry.about}  {money(entry.cents, currency)}  {what}" for entry in entries]
