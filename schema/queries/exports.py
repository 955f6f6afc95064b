"""All that we hold about somebody, read for himself."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from schema.queries.holdings import HOLDINGS
from schema.queries.subjects import Subject

Row = dict[str, Any]


async def everything(session: AsyncSession, user_id: UUID) -> dict[str, list[Row]]:
    """The rows about a user, table by table, one question to each; tables without any are not
    there.
    """
    subject = Subject(user_id)
    found: dict[str, list[Row]] = {}
    for name, holding in HOLDINGS.items():
        if holding.whose is None:
            continue
        table = SQLModel.metadata.tables[name]
        shown = [column for column in table.columns if column.name not in holding.hidden]
        rows = await session.execute(
            select(*shown).where(holding.whose(subject)).order_by(*table.primary_key.columns)
        )
        if gathered := [dict(row._mapping) for row in rows]:  # noqa: SLF001 - its public name
            found[name] = gathered
    return found
