"""Statements as files: CSV for programs, PDF for people."""

import csv
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout

from finance.printing import decimal
from finance.statement import Statement, payout_lines, rows

_WIDTHS = (22, 60, 46, 31, 31)
_PAYOUT_WIDTHS = (30, 40, 120)


def write(statement: Statement, folder: Path) -> list[Path]:
    """Write a statement down: lines and payouts as CSV, and a PDF; answers with the files."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, payouts, pdf = (
        folder / f"{statement.file_name}{ending}" for ending in (".csv", "-payouts.csv", ".pdf")
    )
    _write_lines(statement, lines)
    _write_payouts(statement, payouts)
    pdf.write_bytes(_pdf(statement))
    return [lines, payouts, pdf]


def _write_lines(statement: Statement, path: Path) -> None:
    def amount(cents: int) -> str:
        return decimal(cents, statement.currency)

    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", "what", "about", "amount", "balance", "currency"])
        code = statement.currency.upper()
        writer.writerow(["", "opening balance", "", "", amount(statement.opening_cents), code])
        for line in statement.lines:
            writer.writerow(
                [
                    line.day,
                    line.what,
                    line.about,
                    amount(line.cents),
                    amount(line.balance_cents),
                    code,
                ]
            )
        writer.writerow(["", "closing balance", "", "", amount(statement.closing_cents), code])


def _write_payouts(statement: Statement, path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["id", "day", "amount", "currency", "status", "transfer", "bank payout", "failure"]
        )
        for row in statement.payouts:
            writer.writerow(
                [
                    row.id,
                    row.day,
                    decimal(row.cents, row.currency),
                    row.currency.upper(),
                    row.status.value,
                    row.transfer_id or "",
                    row.stripe_payout_id or "",
                    row.failure or "",
                ]
            )


def _pdf(statement: Statement) -> bytes:
    paper = FPDF(format="A4")
    title = f"Statement, {statement.month:%B %Y}"
    paper.set_title(title)
    paper.add_page()
    paper.set_font("Helvetica", "B", 16)
    paper.cell(text=title, new_x="LMARGIN", new_y="NEXT")
    paper.set_font("Helvetica", size=10)
    about = f"{statement.name} ({statement.account}), days of {statement.timezone}"
    paper.cell(text=_printable(about), new_x="LMARGIN", new_y="NEXT")
    paper.ln(4)
    heads = ("Date", "What", "About", "Amount", "Balance")
    _table(paper, [heads, *rows(statement)], _WIDTHS, right=(3, 4))
    if statement.payouts:
        paper.ln(6)
        heads_of_payouts = ("Payout for", "Amount", "Status")
        _table(paper, [heads_of_payouts, *payout_lines(statement)], _PAYOUT_WIDTHS, right=(1,))
    return bytes(paper.output())


def _table(
    paper: FPDF, cells: list[tuple[str, ...]], widths: tuple[int, ...], right: tuple[int, ...]
) -> None:
    paper.set_font("Helvetica", size=9)
    aligned = tuple("RIGHT" if at in right else "LEFT" for at in range(len(widths)))
    with paper.table(
        col_widths=widths,
        text_align=aligned,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        line_height=5,
    ) as laid:
        for texts in cells:
            row = laid.row()
            for text in texts:
                row.cell(_printable(text))


def _printable(text: str) -> str:
    """As far as the fonts go that every reader has: Western Europe's letters."""
    return text.encode("latin-1", "replace").decode("latin-1")
