"""What the OpenAPI document shows of administration is what is sent and answered."""

from types import ModuleType

import pytest

from api import audit, figures, market_settings, users, verification_queues
from schema.messages.base import Message


@pytest.mark.parametrize("module", [audit, figures, market_settings, users, verification_queues])
def test_every_example_fits_its_shape(module: ModuleType) -> None:
    shapes = [
        shape
        for shape in vars(module).values()
        if isinstance(shape, type) and issubclass(shape, Message) and shape is not Message
    ]
    assert shapes
    for shape in shapes:
        extra = shape.model_config.get("json_schema_extra") or {}
        assert isinstance(extra, dict)
        for example in extra.get("examples", []):
            assert shape.model_validate(example).model_dump(by_alias=True).keys() == example.keys()
