"""All that is held about somebody, as files: one JSON to a table, in a zip."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic.alias_generators import to_camel

Rows = list[dict[str, Any]]

_README = """What is held about you, a file for each kind of thing.

Amounts are cents, moments RFC 3339 in UTC, distances kilometres. Ids of others tell nobody who
they are. Pictures and documents that you sent are named here, not contained.
"""


def zipped(tables: Mapping[str, Rows], at: datetime) -> bytes:
    """The files, packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", f"{_README}\nGathered {at.astimezone(UTC).isoformat()}\n")
        for name, rows in tables.items():
            told = [{to_camel(column): value for column, value in row.items()} for row in rows]
            archive.writestr(
                f"{name}.json", json.dumps(told, default=_written, ensure_ascii=False, indent=1)
            )
    return packed.getvalue()


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)
