"""A client generated from the OpenAPI document: its names and types are good enough to be used."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cast import Cast
from local.world import PASSWORD
from tests.api.operations import document

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")

HERE = Path(__file__).with_name("typescript")
REPOSITORY = HERE.parents[2]
# Installed once for all clones of a lock, and again when it changes.
FOLDER = REPOSITORY / ".local" / "typescript-client"
FINISHED = FOLDER / "finished.json"
LOCK = "package-lock.json"
DEADLINE_SECONDS = 90.0


@pytest.fixture(scope="module")
def project() -> Path:
    """The small program with its libraries, byte for byte as pinned, and the generated types."""
    pinned = (HERE / LOCK).read_text()
    if not FINISHED.exists() or FINISHED.read_text() != pinned:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        for name in ("package.json", LOCK):
            shutil.copy(HERE / name, FOLDER)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        FINISHED.write_text(pinned)
    for name in ("order.ts", "tsconfig.json"):
        shutil.copy(HERE / name, FOLDER)
    (FOLDER / "openapi.json").write_text(json.dumps(document()))
    # A field with a default may be left out of a request.
    without_defaults = ("openapi.json", "--output", "api.ts", "--default-non-nullable=false")
    run(tool("openapi-typescript"), *without_defaults)
    return FOLDER


async def test_a_small_app_type_checks_and_places_an_order(project: Path, play: Cast) -> None:
    run(tool("tsc"), "--project", str(project))

    printed = run(
        "node",
        "built/order.js",
        play.environment["API_URL"],
        play.world.customer.email,
        PASSWORD,
        str(play.world.chef.id),
    )

    said = json.loads(printed.strip().splitlines()[-1])
    mine = await play.customer.get(f"/orders/{said['placed']['id']}")
    assert (mine["orderNumber"], mine["status"]) == (said["placed"]["orderNumber"], "pending")
    assert said["refused"] == "not_found"


def test_a_wrong_name_does_not_type_check(project: Path) -> None:
    wrong = (project / "order.ts").read_text().replace("menuItemId:", "menuItem:")
    (project / "order.ts").write_text(wrong)

    with pytest.raises(subprocess.CalledProcessError) as refused:
        run(tool("tsc"), "--project", str(project), "--noEmit")

    assert "menuItem" in refused.value.stdout


def tool(name: str) -> str:
    return str(FOLDER / "node_modules" / ".bin" / name)


def run(*command: str) -> str:
    """What a command prints. Raises CalledProcessError when it fails."""
    finished = subprocess.run(
        command,
        cwd=FOLDER,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    return finished.stdout
