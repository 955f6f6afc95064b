"""Who talks with whom about an order, from when until when, and who else may read it.

An order has two threads. Its customer and its chef talk from payment until the food is picked up or
the order is cancelled, whichever is first: what has not left the kitchen by then never will. Its
customer and its driver talk from pickup until an hour after the delivery, or after the cancellation
of an order that was on its way: somebody may have forgotten something, or has to find his way back.
Before pickup a driver has nothing to ask a customer; and since an order changes hands only before
pickup, its driver's thread is that of one driver.

A dispute or a refund opens nothing again: it is the admins who speak then. They read what was said
where somebody complains, or his bank does, and nowhere else; each reading is written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.permissions import Role

# How long customer and driver can still write when the order is over.
OPEN_AFTERWARDS = timedelta(hours=1)
# Messages that are not read are told of again after so long.
BURST = timedelta(minutes=5)
LONGEST = 1000


class Thread(StrEnum):
    """With whom the customer talks."""

    CHEF = "chef"
    DRIVER = "driver"


THREADS_OF: Mapping[Role, tuple[Thread, ...]] = {
    Role.CUSTOMER: (Thread.CHEF, Thread.DRIVER),
    Role.CHEF: (Thread.CHEF,),
    Role.DRIVER: (Thread.DRIVER,),
    Role.ADMIN: (Thread.CHEF, Thread.DRIVER),
}


@dataclass(frozen=True, slots=True)
class Course:
    """When an order was paid for, picked up, delivered, cancelled, as far as it was (UTC)."""

    paid_at: datetime | None = None
    picked_up_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when a thread is open (UTC); None where that is not known yet."""

    opens_at: datetime | None
    closes_at: datetime | None


def window(thread: Thread, course: Course) -> Window:
    """When a thread is open, as far as that is known."""
    if thread is Thread.CHEF:
        ends = (course.picked_up_at, course.delivered_at, course.cancelled_at)
        return Window(course.paid_at, min((end for end in ends if end is not None), default=None))
    over_at = course.delivered_at or course.cancelled_at
    if course.picked_up_at is None or over_at is None:
        return Window(course.picked_up_at, None)
    return Window(course.picked_up_at, over_at + OPEN_AFTERWARDS)


def is_open(thread: Thread, course: Course, at: datetime) -> bool:
    """Whether something can be said. What has happened has happened, whatever a clock says: only
    the hour afterwards is a matter of time.
    """
    when = window(thread, course)
    if when.opens_at is None or when.closes_at is None:
        return when.opens_at is not None
    return thread is Thread.DRIVER and at < when.closes_at


def thread_of(role: Role, course: Course) -> Thread:
    """The thread that somebody means who names none: a customer talks with whoever has the food."""
    if role is Role.CUSTOMER:
        return Thread.CHEF if course.picked_up_at is None else Thread.DRIVER
    return THREADS_OF[role][0]


def rings(last_unread_at: datetime | None, at: datetime) -> bool:
    """Whether somebody is told of a message: once for many that he has not read, and again if he
    has not read them for a while. `last_unread_at` is when the newest of those before was sent.
    """
    return last_unread_at is None or at >= last_unread_at + BURST
