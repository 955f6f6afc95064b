"""What workflows did, read from their histories."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.payouts import PayoutActivities
from schema.messages.payouts import Claimed, Payout, PayoutStart, PayoutView, RunStart

T = TypeVar("T")

_CLAIM = PayoutActivities.claim_payout.__name__
# By what the SDK's core marks the end of a local activity.
_LOCAL = "core_local_activity"


@dataclass(frozen=True)
class Did:
    """What one run of a payout's workflow did.

    `claimed` is None until it has claimed; `view` is its result, if it came to one; `payout` is the
    payout as the workflow last saw it.
    """

    start: PayoutStart
    started_at: datetime
    claimed: Claimed | None
    payout: Payout | None
    view: PayoutView | None


@dataclass(frozen=True)
class RunDid:
    """What one history of a payout run did: whom it began with, as which run of which workflow."""

    start: RunStart
    started_at: datetime
    begun: Sequence[PayoutStart]
    children: Sequence[tuple[str, str]]
    is_over: bool


def of_payout(history: WorkflowHistory) -> Did:
    """What a payout's workflow did."""
    start = _start(history, PayoutStart)
    claimed, payout, view = None, None, None
    for event in history.events:
        if event.HasField("marker_recorded_event_attributes"):
            found = _claim_in(event)
            claimed = found or claimed
            payout = found.payout if found else payout
        elif event.HasField("activity_task_completed_event_attributes"):
            # Its activities on the queue answer with the payout as it stands, all of them.
            done = event.activity_task_completed_event_attributes.result
            payout = _value(done, Payout)
        elif event.HasField("workflow_execution_completed_event_attributes"):
            done = event.workflow_execution_completed_event_attributes.result
            view = _value(done, PayoutView)
    return Did(start, _started_at(history), claimed, payout, view)


def of_run(history: WorkflowHistory) -> RunDid:
    """What a payout run did, as far as this history goes."""
    begun, children = [], []
    is_over = False
    for event in history.events:
        if event.HasField("start_child_workflow_execution_initiated_event_attributes"):
            asked = event.start_child_workflow_execution_initiated_event_attributes
            begun.append(_value(asked.input, PayoutStart))
        elif event.HasField("child_workflow_execution_started_event_attributes"):
            child = event.child_workflow_execution_started_event_attributes.workflow_execution
            children.append((child.workflow_id, child.run_id))
        elif event.HasField("workflow_execution_completed_event_attributes"):
            is_over = True
    return RunDid(_start(history, RunStart), _started_at(history), begun, children, is_over)


def run_before(history: WorkflowHistory) -> str | None:
    """The run that continued as new in this one, if one did."""
    started = history.events[0].workflow_execution_started_event_attributes
    return started.continued_execution_run_id or None


def _claim_in(event: HistoryEvent) -> Claimed | None:
    marker = event.marker_recorded_event_attributes
    if marker.marker_name != _LOCAL or "result" not in marker.details:
        return None
    about: dict[str, Any] = _value(marker.details["data"], dict)
    if about["activity_type"] != _CLAIM:
        return None
    return _value(marker.details["result"], Claimed)


def _start(history: WorkflowHistory, kind: type[T]) -> T:
    return _value(history.events[0].workflow_execution_started_event_attributes.input, kind)


def _started_at(history: WorkflowHistory) -> datetime:
    return history.events[0].event_time.ToDatetime(UTC)


def _value(payloads: Payloads, kind: type[T]) -> T:
    [value] = pydantic_data_converter.payload_converter.from_payloads(payloads.payloads, [kind])
    found: T = value
    return found
