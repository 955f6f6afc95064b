"""docs/realtime.md is true: its programs run as they stand there, its tables are the code's."""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path

import pytest

from api.live.commands import COMMANDS
from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast
from tests.clients.npm import installed
from tests.clients.npm_clients import FOLDER
from tests.clients.npm_clients import HERE as PINNED

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "realtime.md"
NEEDS_NPM = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
SECONDS = 60.0


def program(language: str) -> str:
    block = re.compile(rf"^```{language}\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
    (found,) = block.findall(DOCUMENT.read_text())
    return str(found)


def test_the_document_has_every_event_and_every_command() -> None:
    text = DOCUMENT.read_text()
    for name in (*Happening, *COMMANDS):
        assert f"| `{name}` |" in text, name


async def test_the_program_in_python_follows_an_order(play: Cast, tmp_path: Path) -> None:
    written = tmp_path / "follow.py"
    written.write_text(program("python"))

    printed = await followed(play, [sys.executable, str(written)], tmp_path, "following from")

    assert printed[1:] == ENDING


@NEEDS_NPM
async def test_the_program_in_javascript_follows_an_order(play: Cast) -> None:
    await asyncio.to_thread(installed, PINNED, FOLDER)
    (FOLDER / "follow.mjs").write_text(program("js"))

    printed = await followed(play, ["node", "follow.mjs"], FOLDER, "the order is")

    assert printed == ["the order is payment_confirmed", *ENDING]


ENDING = ["the order becomes accepted", "the order becomes cancelled"]


async def followed(play: Cast, command: list[str], where: Path, once: str) -> list[str]:
    """What a program prints that follows an order; the order goes on once it has printed a line."""
    order = await play.bring(OrderStatus.PAYMENT_CONFIRMED)
    told = {
        "API_URL": play.environment["API_URL"],
        "TOKEN": play.customer.authorization.removeprefix("Bearer "),
        "ORDER_ID": order["id"],
    }
    process = await asyncio.create_subprocess_exec(
        *command, cwd=where, env={**os.environ, **told}, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(SECONDS):
            printed = [await line(process)]
            assert printed[0].startswith(once)
            await play.chef_says(order, "accepted")
            await play.customer.put(f"/orders/{order['id']}/cancel", reason="not hungry")
            while said := await line(process):
                printed.append(said)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return printed


async def line(process: Process) -> str:
    """The next line that a process prints, or nothing at its end."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()
