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
    # Of each driver: to the kitchen; standing there; and with the food, from kitchen to last door.
    # Approach and detour are weighed by how many open orders there are to each driver beyond
    # `slack`, up to 1: while there are drivers enough, their time is worth nothing.
    approach: float = 1.0
    waiting: float = 0.5
    detour: float = 1.0
    slack: float = 0.6
    # Of each driver, what he has been idle for less than `idle_for`: who waits longest goes first.
    fairness: float = 0.0

    # Of each driver, how much longer the next orders around him would be likely to wait if he were
    # not there, for the length of a `trip`. Reckoned with where the demand is forecast.
    coverage: float = 1.0

    target: float = 40 * 60.0
    fresh_for: float = 20 * 60.0
    idle_for: float = 30 * 60.0
    trip: float = 25 * 60.0

    # An order that nobody could be found for waits so much longer. Longer than any approach, or
    # an order that is far from all drivers would wait for ever.
    unserved: float = 80 * 60.0
    # Drivers who will be free so soon are waited for, if that is best.
    lookahead: float = 60 * 60.0
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
    # So many drivers are considered for each bundle; so many pairs of the two are weighed at once.
    candidates: int = 20
    most_at_once: int = 4_000
