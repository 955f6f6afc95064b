"""Who orders what and when: a Poisson process with a dinner peak, and each customer's habits.

All of it is known before the evening begins, so that it cannot depend on how the evening goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from math import erf, exp, pi, sqrt

from domain.drivers import Vehicle
from domain.geo import Point
from domain.proof import ProofKind
from local.simulate import geography
from local.simulate.scenario import MINUTE, Scenario, chance

# Half of the orders come evenly, the other half around the peak: where it is and how wide, as
# shares of the evening.
_PEAK = 0.55
_WIDTH = 0.17
_UNDER_THE_PEAK = (
    _WIDTH * sqrt(pi / 2) * (erf((1 - _PEAK) / _WIDTH / sqrt(2)) + erf(_PEAK / _WIDTH / sqrt(2)))
)

_DISHES = 4
_CARD_FAILS = 0.06
_TRIES_ANOTHER_CARD = 0.6
_CHANGES_HIS_MIND = 0.03
_TIPS = 0.5
_SAYS_MINUTES = 0.6
# And how fast they are in a city, in km/h.
_VEHICLES = (
    (Vehicle.CAR, 30.0),
    (Vehicle.CAR, 30.0),
    (Vehicle.CAR, 30.0),
    (Vehicle.SCOOTER, 32.0),
    (Vehicle.BICYCLE, 22.0),
)
# What they want as a proof, and how often the code that they tell first is not that of this order.
_PROOFS = (ProofKind.CODE, ProofKind.CODE, ProofKind.PHOTO, ProofKind.NONE)
_MISREMEMBERS = 0.03
# Which of Stripe's test cards fail, and how: https://docs.stripe.com/testing#declined-payments
_BAD_CARDS = ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds")


class Story(Enum):
    """What a customer does apart from ordering and waiting."""

    PAYS = "pays"
    PAYS_AT_SECOND_TRY = "pays at second try"
    NEVER_PAYS = "never pays"
    CHANGES_HIS_MIND = "changes his mind"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An order that will be placed, by the city's clock; tip in cents.

    `dishes` are numbers of the kitchen's dishes with how many of each.
    """

    number: int
    at: float
    kitchen: int
    door: Point
    dishes: tuple[tuple[int, int], ...]
    tip_cents: int
    story: Story
    bad_card: str
    proof: ProofKind
    # At the door, another code is told before the right one.
    misremembers: bool
    # From the order to the payment, and from the payment to the second thoughts.
    pays_after: float
    regrets_after: float


@dataclass(frozen=True, slots=True)
class Dish:
    """A dish: cents, and minutes to cook it."""

    name: str
    cents: int
    minutes: int


@dataclass(frozen=True)
class KitchenPlan:
    """A kitchen and its chef's habits.

    `slowness` multiplies what cooking takes, `at_once` is how many orders are cooked together,
    `says_minutes` whether a chef says when it will be ready, `forgets` how often he forgets to say
    that it is.
    """

    number: int
    place: Point
    dishes: tuple[Dish, ...]
    slowness: float
    at_once: int
    says_minutes: bool
    forgets: float


@dataclass(frozen=True)
class DriverPlan:
    """A driver and his habits: where he begins, how fast he drives, how often he says yes.

    `silences` are when his phone is off, from and to by the city's clock.
    """

    number: int
    home: Point
    vehicle: Vehicle
    kmh: float
    accepts: float
    silences: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class City:
    """The people of a scenario and what they are going to do."""

    scenario: Scenario

    @cached_property
    def kitchens(self) -> tuple[KitchenPlan, ...]:
        """All kitchens."""
        return tuple(_kitchen(self.scenario, n) for n in range(self.scenario.kitchens))

    @cached_property
    def drivers(self) -> tuple[DriverPlan, ...]:
        """All drivers."""
        return tuple(_driver(self.scenario, n) for n in range(self.scenario.drivers))

    @cached_property
    def arrivals(self) -> tuple[Arrival, ...]:
        """All orders that will be placed, the first first."""
        moments = enumerate(_moments(self.scenario))
        return tuple(_arrival(self, number, at) for number, at in moments)


def rate(scenario: Scenario, at: float) -> float:
    """How many orders an hour come in at a moment."""
    distance = (at / scenario.lasts - _PEAK) / _WIDTH
    bump = exp(-(distance**2) / 2) / _UNDER_THE_PEAK
    return scenario.orders_per_hour * (0.5 + 0.5 * bump)


def _moments(scenario: Scenario) -> Iterator[float]:
    """A Poisson process by thinning: as many as at the peak all evening, and some of them left out.

    Lewis and Shedler (1979), Simulation of nonhomogeneous Poisson processes by thinning.
    """
    most = rate(scenario, _PEAK * scenario.lasts)
    dice = chance(scenario.seed, "arrivals")
    at = 0.0
    while True:
        at += dice.expovariate(most / 3600)
        if at >= scenario.lasts:
            return
        if dice.random() * most < rate(scenario, at):
            yield at


def _arrival(city: City, number: int, at: float) -> Arrival:
    dice = chance(city.scenario.seed, "order", number)
    kitchen = city.kitchens[dice.randrange(len(city.kitchens))]
    menu = dice.sample(range(_DISHES), dice.choice((1, 1, 2, 2, 3)))
    if dice.random() < _CARD_FAILS:
        again = dice.random() < _TRIES_ANOTHER_CARD
        story = Story.PAYS_AT_SECOND_TRY if again else Story.NEVER_PAYS
    elif dice.random() < _CHANGES_HIS_MIND:
        story = Story.CHANGES_HIS_MIND
    else:
        story = Story.PAYS
    return Arrival(
        number=number,
        at=at,
        kitchen=kitchen.number,
        door=geography.door(kitchen.place, dice),
        dishes=tuple((dish, dice.choice((1, 1, 2))) for dish in menu),
        tip_cents=100 * dice.randint(1, 6) if dice.random() < _TIPS else 0,
        story=story,
        bad_card=dice.choice(_BAD_CARDS),
        pays_after=dice.uniform(5, 40),
        regrets_after=dice.uniform(30, 4 * MINUTE),
        proof=dice.choice(_PROOFS),
        misremembers=dice.random() < _MISREMEMBERS,
    )


def _kitchen(scenario: Scenario, number: int) -> KitchenPlan:
    dice = chance(scenario.seed, "kitchen", number)
    usual = dice.choice((8, 12, 15, 18, 22))
    dishes = tuple(
        Dish(f"Dish {dish + 1}", 100 * dice.randint(8, 19), max(5, usual + dice.randint(-4, 4)))
        for dish in range(_DISHES)
    )
    return KitchenPlan(
        number=number,
        place=geography.kitchen(number, dice),
        dishes=dishes,
        slowness=dice.choice((0.9, 1.0, 1.0, 1.1, 1.35)),
        at_once=dice.randint(4, 7),
        says_minutes=dice.random() < _SAYS_MINUTES,
        forgets=dice.choice((0.0, 0.02, 0.05, 0.15)),
    )


def _driver(scenario: Scenario, number: int) -> DriverPlan:
    dice = chance(scenario.seed, "driver", number)
    vehicle, kmh = dice.choice(_VEHICLES)
    return DriverPlan(
        number=number,
        home=geography.somewhere(dice),
        vehicle=vehicle,
        kmh=kmh,
        accepts=dice.uniform(0.70, 0.85),
        silences=tuple(_silences(scenario, number)),
    )


def _silences(scenario: Scenario, number: int) -> Iterator[tuple[float, float]]:
    """When a driver's phone is off: about once in four hours, for five to twelve minutes."""
    dice = chance(scenario.seed, "silences", number)
    at = 0.0
    while True:
        at += dice.expovariate(1 / (4 * 60 * MINUTE))
        if at >= scenario.lasts:
            return
        back = at + dice.uniform(5 * MINUTE, 12 * MINUTE)
        yield at, back
        at = back
