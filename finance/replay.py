"""`replay`: run payouts again, recompute what was owed, ask Stripe, and compare all three."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.client import WorkflowHistory

from finance import deeds, evidence, histories
from finance.evidence import Batch, Matter
from finance.histories import WORKFLOWS, Histories
from finance.printing import money, table
from finance.problems import DIFFERENT, OK
from finance.records import Records
from finance.sources import Source
from finance.verdicts import MISSING_HISTORY, NOT_DETERMINISTIC, Case, Finding, examine

_HEADS = ("payee", "name", "owed", "paid", "Stripe", "verdict")
_AMOUNTS = (2, 3, 4)


@dataclass(frozen=True)
class Report:
    """What was found: of the runs, and of each payee."""

    matter: Matter
    replayed: int
    of_runs: Sequence[str]
    findings: Sequence[Finding]

    @property
    def status(self) -> int:
        """The exit status: whether anything does not agree."""
        is_wrong = self.of_runs or any(finding.wrong for finding in self.findings)
        return DIFFERENT if is_wrong else OK


async def replay(
    kept: Histories, source: Source, matter: Matter, workflows: Sequence[type] = WORKFLOWS
) -> Report:
    """Look at all of a matter."""
    of_runs = [f"{run_id}: {MISSING_HISTORY}" for run_id in matter.missing_runs]
    chains = [history for chain in matter.runs.values() for history in chain]
    for history, words in await histories.replay(chains, workflows):
        of_runs.append(f"{history.workflow_id}: {NOT_DETERMINISTIC}: {words}")
    replayed, findings = len(chains), list[Finding]()
    async for batch in evidence.batches(kept, source, matter):
        all_of_them = [h for runs in batch.histories.values() for h in runs]
        replayed += len(all_of_them)
        failed = await histories.replay(all_of_them, workflows)
        for case in _cases(matter, batch, failed):
            finding = examine(case)
            if finding is not None:
                findings.append(finding)
    return Report(matter, replayed, of_runs, findings)


def show(report: Report) -> str:
    """The report as a terminal shows it: a table, totals, and whatever does not agree."""
    day, currencies = report.matter.day, {f.subject.currency for f in report.findings}
    lines = [f"Payouts of {day}: {report.replayed} histories replayed", ""]
    rows = [_row(finding) for finding in report.findings]
    for currency in sorted(currencies):
        of_it = [f for f in report.findings if f.subject.currency == currency]
        rows.append(
            (
                "total",
                f"{len(of_it)} payees",
                money(sum(f.owed for f in of_it), currency),
                money(sum(f.paid for f in of_it), currency),
                money(sum(f.at_stripe for f in of_it), currency),
                "",
            )
        )
    lines += [table(_HEADS, rows, _AMOUNTS)] if rows else ["Nobody was owed anything."]
    for finding in report.findings:
        if finding.wrong:
            lines += ["", f"{finding.subject.account} ({finding.name})"]
            lines += [f"  {words}" for words in finding.wrong]
            lines += [f"    {words}" for words in finding.behind]
    if report.of_runs:
        lines += ["", *report.of_runs]
    bad = sum(bool(f.wrong) for f in report.findings) + len(report.of_runs)
    lines += ["", f"{bad} do not agree." if bad else "Everything agrees."]
    return "\n".join(lines)


def _cases(
    matter: Matter, batch: Batch, failed: Sequence[tuple[WorkflowHistory, str]]
) -> Sequence[Case]:
    words: dict[str, list[str]] = {}
    for history, why in failed:
        words.setdefault(history.workflow_id, []).append(why)
    records, cases = Records(batch.books), list[Case]()
    for subject in batch.subjects:
        did = [deeds.of_payout(history) for history in batch.histories[subject.workflow_id]]
        # Read again: what was open when the subjects were found may have been claimed by now.
        row = matter.rows.get(subject)
        row = next((r for r in batch.books.payouts if evidence.subject_of(r) == subject), row)
        cases.append(
            Case(
                subject=subject,
                did=[d for d in did if d.start.terms.currency == subject.currency],
                failures=words.get(subject.workflow_id, []),
                row=row,
                records=records,
                at_stripe=batch.stripe.get(row.id) if row else None,
                was_begun=subject in matter.begun,
                due=matter.due.get(subject),
            )
        )
    return cases


def _row(finding: Finding) -> tuple[str, ...]:
    currency = finding.subject.currency
    amounts = (finding.owed, finding.paid, finding.at_stripe)
    return (
        finding.subject.account,
        finding.name,
        *(money(cents, currency) for cents in amounts),
        finding.verdict,
    )
