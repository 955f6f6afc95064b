"""The receivers of docs/webhooks.md are good enough to be copied: they take what is ours, once, and
nothing else.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from domain.webhooks import TEST, EventType
from local import ports
from local.cast import Cast
from local.people import until

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
RUNS = {"python": (sys.executable, "receiver.py"), "js": (shutil.which("node"), "receiver.mjs")}


def example(language: str) -> str:
    block = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = block.search(DOCUMENT.read_text())
    assert found is not None
    return found[1]


@contextmanager
def running(language: str, folder: Path, secret: str, port: int) -> Iterator[Path]:
    """An example as a process of its own; what it has printed."""
    program, name = RUNS[language]
    if program is None:
        pytest.skip(f"there is nothing that runs {language}")
    (folder / name).write_text(example(language))
    printed = folder / "printed.txt"
    environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": str(port)}
    with printed.open("wb") as out:
        process = subprocess.Popen([program, folder / name], env=environment, stdout=out)
    try:
        yield printed
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("language", list(RUNS))
async def test_a_receiver_that_is_copied_takes_ours_once_and_nothing_else(
    play: Cast, tmp_path: Path, language: str
) -> None:
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}/"
    made = await play.chef.post("/chef/webhooks", url=url, eventTypes=["order.created"])
    with running(language, tmp_path, made["secret"], port) as printed:
        forged = {"webhook-id": "1", "webhook-timestamp": "1769882400", "webhook-signature": "v1,a"}
        async with httpx.AsyncClient() as http:

            async def refused() -> int | None:
                try:
                    return (await http.post(url, json={"type": "a"}, headers=forged)).status_code
                except httpx.TransportError:
                    return None

            assert await until(refused) == 400

        tried = await play.chef.post(f"/chef/webhooks/{made['id']}/test")
        for reason in ("first", "again"):
            await until(lambda: _has_arrived(play, made["id"]))
            path = f"/admin/webhooks/deliveries/{tried['id']}/replay"
            await play.admin.post(path, reason=reason)
        await until(lambda: _has_arrived(play, made["id"]))
        assert printed.read_text().splitlines() in ([f"{TEST} None"], [f"{TEST} undefined"])


async def _has_arrived(play: Cast, webhook: str) -> bool:
    found = await play.chef.get(f"/chef/webhooks/{webhook}/deliveries")
    return bool(found["data"][0]["status"] == "succeeded")


def test_every_event_is_in_the_document() -> None:
    text = DOCUMENT.read_text()

    assert [kind for kind in (*EventType, TEST) if f"`{kind}`" not in text] == []
