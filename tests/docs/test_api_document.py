"""docs/api.md is true: its commands run as they stand there, its table is that of the code."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.cast import Cast
from tests.docs.problem_codes import DOCUMENT, codes, written

# A fenced block of commands, and what they print if the next block is JSON.
_BLOCKS = re.compile(r"^```sh\n(.*?)^```\n(?:\n```json\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
SECONDS = 60.0


def examples() -> Iterator[tuple[str, str | None]]:
    for found in _BLOCKS.finditer(DOCUMENT.read_text()):
        yield found[1], found[2]


def test_the_table_of_codes_is_that_of_the_code() -> None:
    text = DOCUMENT.read_text()
    assert len(codes()) > 50
    assert written(text) == text, "`make docs` writes it anew"


async def test_every_command_prints_what_the_document_shows(play: Cast) -> None:
    """All of them in one shell, one after the other, as a reader would try them."""
    marker = "-- the next example --"
    script = f"\necho; echo '{marker}'\n".join(commands for commands, _ in examples())
    printed = run(script, play.environment).split(marker)

    shown = [answer for _, answer in examples()]
    assert len(printed) == len(shown) > 5
    for output, answer in zip(printed, shown, strict=True):
        if answer is not None:
            assert alike(json.loads(output), json.loads(answer)), output


def alike(said: Any, shown: Any) -> bool:
    """Whether an answer has all that is shown of it; its codes and statuses are the very same."""
    if isinstance(shown, dict):
        return isinstance(said, dict) and all(
            name in said
            and (said[name] == value if name in {"code", "status"} else alike(said[name], value))
            for name, value in shown.items()
        )
    if isinstance(shown, list):
        return isinstance(said, list) and (not shown or (bool(said) and alike(said[0], shown[0])))
    return isinstance(said, type(shown)) or None in {said, shown}


def run(script: str, environment: Mapping[str, str]) -> str:
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - whichever bash there is
        env={**os.environ, "API": f"{environment['API_URL']}/api/v1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if finished.returncode != 0:
        pytest.fail(f"{finished.stdout}\n{finished.stderr}")
    return finished.stdout
