"""What happens by itself when its time comes: authorisations expire, refunds and payouts settle."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

from local.stripe.store import Store, Transaction

CLOSE_INQUIRY = "close_inquiry"
DECIDE_DISPUTE = "decide_dispute"
END_TIME_TO_RESPOND = "end_time_to_respond"
EXPIRE_AUTHORIZATION = "expire_authorization"
SETTLE_PAYOUT = "settle_payout"
SETTLE_REFUND = "settle_refund"

TICK_SECONDS = 1.0

# Does to the object of that id what is due.
Action: TypeAlias = Callable[[Transaction, str], None]


def schedule(tx: Transaction, action: str, object_id: str, due_at: int) -> None:
    """Have something happen to an object at `due_at`, in seconds since 1970."""
    tx.execute(
        "INSERT INTO timers (due_at, action, object_id) VALUES (?, ?, ?)",
        due_at,
        action,
        object_id,
    )


def cancel(tx: Transaction, action: str, object_id: str) -> None:
    """Have it not happen after all."""
    tx.execute("DELETE FROM timers WHERE action = ? AND object_id = ?", action, object_id)


def run_due(store: Store, actions: Mapping[str, Action], now: int) -> None:
    """Do all that is due at `now`, each thing in a transaction of its own."""
    with store.transaction() as tx:
        due = tx.execute(
            "SELECT id, action, object_id FROM timers WHERE due_at <= ? ORDER BY due_at, id", now
        ).fetchall()
    for timer_id, action, object_id in due:
        with store.transaction() as tx:
            # What came before it may have cancelled it, and set another in its place.
            if tx.execute("DELETE FROM timers WHERE id = ?", timer_id).rowcount:
                with tx.acting_for(tx.owner(object_id)):
                    actions[action](tx, object_id)


async def run(store: Store, actions: Mapping[str, Action]) -> None:
    """Do what is due, until cancelled."""
    while True:
        run_due(store, actions, store.now())
        await asyncio.sleep(TICK_SECONDS)
