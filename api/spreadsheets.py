"""Lists as spreadsheets: streamed as they are read, so that their length does not matter."""

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi.responses import StreamingResponse
from sqlalchemy import Executable

from api.errors import problems
from schema.database import Database

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A header, then a line each, as RFC 4180 has it, in UTF-8.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "id,createdAt\r\n0198c0de-0000-7000-8000-00000000000a,2026-01-31\r\n",
            }
        },
    },
    **problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
}

_ROWS_AT_ONCE = 500
# What spreadsheets take for the beginning of a formula (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cells = Iterable[object]


async def answer(
    database: Database,
    name: str,
    head: Sequence[str],
    asked: Executable,
    cells: Callable[[Any], Cells],
) -> StreamingResponse:
    """The rows that `asked` selects as the file `name`, a line each.

    They are read by a cursor of the server's, all as of one moment; what is wrong with the database
    is known before the answer begins.
    """
    chunks = _chunks(database, head, asked, cells)
    first = await anext(chunks)

    async def whole() -> AsyncIterator[str]:
        async with aclosing(chunks):
            yield first
            async for chunk in chunks:
                yield chunk

    return StreamingResponse(
        whole(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _chunks(
    database: Database, head: Sequence[str], asked: Executable, cells: Callable[[Any], Cells]
) -> AsyncGenerator[str, None]:
    async with database.snapshot() as session:
        rows = await session.stream(asked, execution_options={"yield_per": _ROWS_AT_ONCE})
        written = [list[object](head)]
        async for part in rows.partitions():
            written += [[_cell(value) for value in cells(row)] for row in part]
            yield _lines(written)
            written = []
        if written:
            yield _lines(written)


def _lines(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case datetime():
            return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
