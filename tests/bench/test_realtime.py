"""The bench of the gateway tells a few clients what happens, each once and nobody else."""

from collections.abc import Mapping
from pathlib import Path

from bench.realtime import Load, measure

LOAD = Load(clients=50, seconds=2.0)


async def test_everybody_is_told_everything_of_his_order_once(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    result = await measure(environment, tmp_path, LOAD)

    gateway, bare = result["gateway"], result["bare"]
    changes, positions = gateway["changes"], gateway["positions"]
    assert (LOAD.changes, LOAD.positions) == (17, 24)
    assert changes["sent"] == changes["live"] + changes["givenBack"] == LOAD.changes
    assert changes["givenBack"] > 0
    assert positions["sent"] + sum(gateway["refused"].values()) == LOAD.positions
    assert positions["live"] + positions["givenBack"] + positions["passed"] == positions["sent"]
    assert gateway["cutOff"] > 0
    for found in (changes, positions, bare["changes"], bare["positions"]):
        assert (found["lost"], found["twice"], found["toOthers"]) == (0, 0, 0)
    assert bare["changes"]["live"] == LOAD.changes
    assert bare["positions"]["live"] == LOAD.positions
