"""What people are answered about who they are."""

from typing import Literal

from api.examples import shown
from schema.messages.base import Message


class DoneOut(Message):
    """It is done."""

    model_config = shown({"status": "done"})

    status: Literal["done"] = "done"


class SentOut(Message):
    """A letter is on its way, if there is anybody to send one to."""

    model_config = shown({"status": "sent"})

    status: Literal["sent"] = "sent"
