"""What every message has in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Message(BaseModel):
    """A value that crosses a boundary: immutable, camelCase on the wire, open to newer fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        # Errors end up in logs, and inputs are people's data.
        hide_input_in_errors=True,
    )
