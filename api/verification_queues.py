"""What operators get to see of those who wait to be verified."""

from collections.abc import Mapping

from api import examples_admin as examples
from api.examples import shown
from api.views import Moment
from schema.messages.base import Message
from schema.queries.verification_queues import Queue


class QueueOut(Message):
    """How many wait, and since when the first of them does."""

    waiting: int
    oldest_at: Moment | None


class QueuesOut(Message):
    """Who and what waits to be verified."""

    model_config = shown(examples.QUEUES)

    chefs: QueueOut
    chef_documents: QueueOut
    drivers: QueueOut
    driver_documents: QueueOut


def queues(found: Mapping[str, Queue]) -> QueuesOut:
    """The queues, for operators."""
    return QueuesOut(**{name: QueueOut(**queue._asdict()) for name, queue in found.items()})
