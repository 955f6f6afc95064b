"""What the people of a city have noted: what nobody else can know."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.simulate.demand import Arrival

# How the customer of an order says the code that its driver asks for.
Code = Callable[[], Awaitable[str]]


@dataclass
class Ticket:
    """An order that was placed: what its people remember of it.

    What was promised is when it would be at the door: at placing, and when the driver left.
    """

    order_id: str
    arrival: Arrival
    code: Code
    promised_at_placing: datetime | None = None
    promised_at_pickup: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What drivers were doing at a moment of the city's."""

    at: float
    doing: Counter[str]


@dataclass
class Diary:
    """Notes of a whole evening. `surprises` are what nobody should have met with."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    # Orders that the facade did not take, by its reason.
    turned_away: Counter[str] = field(default_factory=Counter)
    # What was refused since things had changed meanwhile: it happens to the best of apps.
    overtaken: Counter[str] = field(default_factory=Counter)
    # Positions that did not get through, by why.
    unheard: Counter[str] = field(default_factory=Counter)
    flat_tyres: int = 0
    wrong_codes: int = 0
    # How many seconds of the city's drivers waited at a kitchen for each order.
    stood: list[float] = field(default_factory=list)
    kills: list[dict[str, Any]] = field(default_factory=list)

    def number(self, order_id: str) -> int:
        """The number of an order in the city's plan."""
        return self.tickets[order_id].arrival.number
