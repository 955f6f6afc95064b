"""What the matching weighs, and the limits that it keeps to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """What a second of each evil is worth, and how far the matching looks.

    The unit is a second of one customer's waiting: a weight of 0.5 says that two seconds of it are
    as bad as one in which a customer waits. Durations are seconds, distances metres.
    """

    # Of each order: from being placed to being at the door; what of that is past the promise
    # (`target` after being placed, where nothing was promised); and what of the time since the
    # food was ready is past `fresh_for`.
    age: float = 1.0
    lateness: float = 0.0
    freshness: float = 0.0
    # Of each driver: to the kitchen; standing there; and with the food, from door to door. What
    # else he could do in that time is worth more the more orders there are to each driver:
    # approach and detour are weighed by that ratio.
    approach: float = 0.1
    waiting: float = 0.5
    detour: float = 0.1
    # Of each driver, what he has been idle for less than `idle_for`: who waits longest goes first.
    fairness: float = 0.0

    target: float = 40 * 60.0
    fresh_for: float = 20 * 60.0
    idle_for: float = 30 * 60.0

    # An order that nobody could be found for waits so much longer.
    unserved: float = 40 * 60.0
    # Drivers who will be free so soon are waited for, if that is best.
    lookahead: float = 30 * 60.0
    # A driver is sent so much before he would have to leave to come just in time: to be early...
    early: float = 0.0
    # ... and because he needs time to answer.
    commit_ahead: float = 0.0

    # One driver brings so many orders at once, whose food is ready within so many seconds, from
    # kitchens that lie within so many metres; each order is tried with so many others.
    bundle_size: int = 3
    ready_gap: float = 20 * 60.0
    neighbours_m: float = 0.0
    companions: int = 9
    # So many drivers are considered for each bundle, so many pairs of the two in one solution.
    candidates: int = 12
    most_pairs: int = 12_000
