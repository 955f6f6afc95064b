"""What is held about people is known, table by table: a table that is in no register fails here."""

from typing import Any

from sqlalchemy import ARRAY, Column, Enum, Float, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.dml import Delete
from sqlmodel import AutoString, SQLModel
from uuid_utils.compat import uuid7

from schema.queries.deletions import erasing
from schema.queries.holdings import HOLDINGS
from schema.queries.subjects import Subject

# A column of such a name holds what somebody lets himself in with.
SECRETS = ("password", "secret", "token")


def test_every_table_is_in_the_register() -> None:
    assert set(HOLDINGS) == set(SQLModel.metadata.tables)


def test_what_is_not_given_or_not_forgotten_says_why() -> None:
    silent = [
        name
        for name, holding in HOLDINGS.items()
        if (holding.whose is None or holding.erase is None) and not holding.why
    ]

    assert silent == []


def test_hidden_columns_are_there_and_nothing_secret_is_given() -> None:
    for name, holding in HOLDINGS.items():
        columns = set(SQLModel.metadata.tables[name].columns.keys())
        assert holding.hidden <= columns, name
        given = columns - holding.hidden if holding.whose else set()
        assert not [column for column in given if any(word in column for word in SECRETS)], name


def test_every_column_that_could_say_who_somebody_was_is_erased_or_kept_for_a_reason() -> None:
    subject = Subject(uuid7())
    for name, holding in HOLDINGS.items():
        if holding.erase is None:
            continue
        table = SQLModel.metadata.tables[name]
        telling = {column.name for column in table.columns if could_tell(column)}
        erased: set[str] = set()
        for statement in holding.erase(subject):
            assert statement.table.name == name
            gone = isinstance(statement, Delete)
            erased |= telling if gone else {column.name for column in statement._values}
        assert telling - erased == holding.kept, name


def could_tell(column: Column[Any]) -> bool:
    """Whether somebody's words, or where he was, fit into a column."""
    return isinstance(column.type, AutoString | String | JSONB | ARRAY | Float) and not isinstance(
        column.type, Enum
    )


def test_who_somebody_was_at_stripe_is_forgotten_last() -> None:
    assert list(HOLDINGS)[-1] == "users"
    assert erasing(Subject(uuid7()))
