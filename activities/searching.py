"""What an order has done about its driver: looked for, taken, given back."""

from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)

from activities.orders import offer_gone
from domain.dispatch.zones import Zoning
from schema.database import Database
from schema.messages.dispatch import (
    Acceptance,
    Assignment,
    JoinDispatch,
    Release,
    Search,
    Taken,
    ZoneOrder,
    ZoneStart,
)
from schema.queries import assignments, searches
from schema.queries.offers import OfferGone

_ZONE = SearchAttributeKey.for_keyword("Zone")


class Zones:
    """Reaches the workflows of zones; one that does not run is started.

    `run` is their run method, `join` the signal by which an order joins, `task_queue` where they
    are worked on.
    """

    def __init__(self, client: Client, run: Any, join: Any, task_queue: str) -> None:
        self._client = client
        self._run = run
        self._join = join
        self._task_queue = task_queue

    async def tell(self, zone: str, order: ZoneOrder) -> None:
        """Have a zone look after an order, or look at it again."""
        await self._client.start_workflow(
            self._run,
            ZoneStart(zone=zone),
            id=f"dispatch-{zone}",
            task_queue=self._task_queue,
            start_signal=self._join.__name__,
            start_signal_args=[order],
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(_ZONE, zone)]),
            static_summary=f"dispatch in {zone}",
        )


class SearchActivities:
    """The search for an order's driver: short, safe to repeat, run as local activities."""

    def __init__(self, database: Database, zones: Zones, zoning: Zoning) -> None:
        self._database = database
        self._zones = zones
        self._zoning = zoning

    @activity.defn
    async def join_dispatch(self, joining: JoinDispatch) -> Search:
        """Have the zones around an order look for its driver, or after the one it has."""
        zones = self._zoning.zones_of(joining.kitchen)
        async with self._database.write() as session:
            search = await searches.join(session, joining.order_id, zones, joining.at)
            looked_at = await searches.looked_at(session, joining.order_id)
        since = joining.unless_since
        if since is None or looked_at is None or looked_at < since:
            for zone in zones:
                await self._zones.tell(zone, ZoneOrder(order_id=joining.order_id))
        return search

    @activity.defn
    async def take_offer(self, yes: Acceptance) -> None:
        """Let a driver have the orders of an offer. Fails for good (OfferGone) when it is gone."""
        try:
            async with self._database.write() as session:
                await assignments.accept(session, yes)
        except OfferGone as gone:
            raise offer_gone() from gone

    @activity.defn
    async def assign_early(self, given: Assignment) -> Taken | None:
        """Give an order whose food is not ready yet to a driver by hand; None when it is."""
        async with self._database.write() as session:
            return await assignments.assign_early(session, given)

    @activity.defn
    async def release_early(self, back: Release) -> None:
        """Take an order whose food is not ready yet back from its driver."""
        async with self._database.write() as session:
            await assignments.release_early(session, back)
