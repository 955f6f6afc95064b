"""What people are answered about who they are."""

from typing import Literal

from api.examples import shown
from schema.messages.base import Message


class DoneOut(Message):
    """It is done."""

    model_config = shown({"status": "done"})

    status: Literal["done"] = "done"
