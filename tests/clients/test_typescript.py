"""A client generated from the OpenAPI document: its names and types are good enough to be used."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cast import Cast
from local.world import PASSWORD
from tests.api.operations import document
from tests.clients import npm
from tests.clients.npm import installed

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")

HERE = Path(__file__).with_name("typescript")
REPOSITORY = HERE.parents[2]
FOLDER = REPOSITORY / ".local" / "typescript-client"


@pytest.fixture(scope="module")
def project() -> Path:
    """The small program with its libraries, byte for byte as pinned, and the generated types."""
    installed(HERE, FOLDER)
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
    return npm.run(FOLDER, *command)
