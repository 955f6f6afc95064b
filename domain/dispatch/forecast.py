"""What the kitchens will be asked for soon, told from what they were asked for before."""

from collections.abc import Sequence

import numpy as np

from domain.dispatch.plan import Demand, OpenOrder, Place

# As many orders as came lately will come soon; where, tell all orders known, and of each kitchen
# half an order more, since one that nobody has asked yet may be asked next.
LATELY = 30 * 60.0
UNSEEN = 0.5
# Kitchens so near to one another (metres) are one place.
CELL = 1_500.0
# Until so many orders are known, they are thought to be placed so long before their food is ready.
ENOUGH = 20
USUAL_NOTICE = tuple(60.0 * minutes for minutes in (8, 12, 16, 20, 25))
LIKELY = np.linspace(0.05, 0.95, 10)


def expected(
    at: float, known: Sequence[OpenOrder], kitchens: Sequence[Place]
) -> tuple[Demand, ...]:
    """The demand at the moment `at`, told from every order known, open or not.

    `kitchens` are the places of all that could be asked.
    """
    if not known or not kitchens:
        return ()
    cooked_at = np.array([order.kitchen for order in known], float)
    places = np.concatenate([cooked_at, np.array(kitchens, float)])
    shares = np.concatenate([np.ones(len(known)), np.full(len(kitchens), UNSEEN)])
    cells, cell = np.unique(np.floor(places / CELL), axis=0, return_inverse=True)
    share = np.bincount(cell.ravel(), shares, minlength=len(cells))
    x, y = (np.bincount(cell.ravel(), shares * places[:, axis]) / share for axis in (0, 1))
    lately = sum(order.placed_at > at - LATELY for order in known)
    per_hour = share / share.sum() * lately * 3600 / LATELY
    notice = USUAL_NOTICE
    if len(known) >= ENOUGH:
        waits = [order.ready_at - order.placed_at for order in known]
        notice = tuple(np.quantile(waits, LIKELY).tolist())
    return tuple(
        Demand(Place(*place), rate, notice)
        for *place, rate in zip(x.tolist(), y.tolist(), per_hour.tolist(), strict=True)
    )
