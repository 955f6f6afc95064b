"""Column kinds that the tables share."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, DateTime, Enum, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field
from uuid_utils.compat import uuid7


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def key() -> Any:
    """A primary key: a UUIDv7, so that rows sort by when they were made."""
    return Field(default_factory=uuid7, primary_key=True)


def moment(**options: Any) -> Any:
    """A point in time, with its zone."""
    return Field(sa_type=DateTime(timezone=True), **options)


def created() -> Any:
    """When the row was made."""
    return moment(default_factory=now, nullable=False)


def reference(target: str, **options: Any) -> Any:
    """A foreign key to `table.column`."""
    return Field(foreign_key=target, **options)


def one_of(values: type[StrEnum], name: str, **options: Any) -> Any:
    """A text column that holds a value of `values`, checked by a constraint of that name."""
    kind = Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
    return Field(sa_type=kind, **options)


def document(**options: Any) -> Any:
    """A JSON document."""
    return Field(sa_type=JSONB, **options)


def texts(**options: Any) -> Any:
    """A list of texts."""
    return Field(sa_type=ARRAY(Text), **options)


class Cube(UserDefinedType[str]):
    """A point or a box of the extension cube, written as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "cube"
