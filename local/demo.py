"""`make demo`: everything started, and one order played through the public API in all roles."""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from rich.console import Console
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from domain.ledger import Event
from domain.order_status import OrderStatus
from local.cast import holds
from local.city import CENTRE, KITCHENS, PASSWORD, driver_email
from local.people import Person, Wallet, until
from local.processes import Died
from local.stack import HOME, Stack
from workflows.connection import connect

DOOR = {"latitude": 30.2755, "longitude": -97.7415}
ADDRESS = {
    "line1": "950 Main St",
    "city": "Austin",
    "state": "TX",
    "postalCode": "78701",
    "country": "US",
}

console = Console(highlight=False)


class Play:
    """One order, from the basket to the door."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        api = environment["API_URL"]
        self._customer = Person(api, "customer@example.com")
        self._chef = Person(api, KITCHENS[0].email)
        self._drivers = [Person(api, driver_email(1)), Person(api, driver_email(2))]
        self._admin = Person(api, "admin@example.com")
        self._wallet = Wallet(
            environment.get("STRIPE_PUBLISHABLE_KEY", "pk_test_ridendine"),
            environment.get("STRIPE_API_BASE"),
        )
        self._began = time.monotonic()

    async def perform(self) -> dict[str, Any]:
        """Play it, telling each step as it happens; answers with the order as an admin sees it."""
        everybody = (self._customer, self._chef, *self._drivers, self._admin)
        with self._step("everybody", "logs in"):
            for person in everybody:
                await person.log_in(PASSWORD)
        with self._step("drivers", "two go on duty near the kitchen"):
            for number, driver in enumerate(self._drivers, start=1):
                await driver.put("/delivery/availability", isAvailable=True)
                await self._at(driver, CENTRE.latitude + 0.002 * number, CENTRE.longitude)
        order_id = await self._buy()
        await self._cook(order_id)
        await self._deliver(order_id)
        # Nobody answers for the second driver once the play is over.
        await self._drivers[1].put("/delivery/availability", isAvailable=False)
        with self._step("admin", "looks it up, and what is booked"):
            found: dict[str, Any] = await self._admin.get(f"/orders/{order_id}")
            found["history"] = await self._admin.get(f"/orders/{order_id}/history")
            found["booked"] = await self._booked(order_id)
        for person in everybody:
            await person.leave()
        await self._wallet.close()
        return found

    async def _booked(self, order_id: str) -> dict[str, int]:
        """Whose the customer's money is now, in cents."""
        movements = await self._admin.get("/admin/ledger/movements", orderId=order_id)
        earned = next(m for m in movements["data"] if m["event"] == Event.EARNED)
        return {
            posting["account"].split(":")[0]: -posting["amountCents"]
            for posting in earned["postings"]
            if posting["amountCents"] < 0
        }

    async def _buy(self) -> str:
        with self._step("customer", "looks at the chefs and a menu") as told:
            chefs = await self._customer.get("/chefs", search=KITCHENS[0].name)
            chef = chefs["data"][0]
            menu = (await self._customer.get(f"/chefs/{chef['id']}/menu"))[0]
            dish = next(
                item for item in menu["items"] if item["name"] == KITCHENS[0].dishes[0].name
            )
            told["what"] = f"chooses {chef['businessName']}, two {dish['name']}"
        with self._step("customer", "places the order") as told:
            placed = await self._customer.post(
                "/orders",
                key=f"demo-{uuid4()}",
                chefId=chef["id"],
                items=[{"menuItemId": dish["id"], "quantity": 2}],
                deliveryAddress=ADDRESS,
                instructions="Second floor, please.",
            )
            told["what"] = f"places {placed['orderNumber']} for {_money(placed['totalCents'])}"
        order_id: str = placed["id"]
        with self._step("customer", "pays with a test card"):
            await self._wallet.pay(placed["clientSecret"])
        with self._step("Stripe", "webhook: the payment has succeeded"):
            await self._becomes(order_id, OrderStatus.PAYMENT_CONFIRMED)
        return order_id

    async def _cook(self, order_id: str) -> None:
        path = f"/chef/orders/{order_id}/status"
        with self._step("chef", "accepts: ready in 20 minutes"):
            await self._chef.put(path, status="accepted", readyInMinutes=20)
        with self._step("chef", "begins to cook"):
            await self._chef.put(path, status="preparing")
        with self._step("chef", "has it ready"):
            await self._chef.put(path, status="ready_for_pickup")

    async def _deliver(self, order_id: str) -> None:
        first, second = self._drivers
        with self._step("driver 1", "is offered the order and declines"):
            offer = await until(lambda: self._offer(first, order_id))
            await first.post(f"/delivery/offers/{offer['id']}/decline", reason="flat tyre")
        with self._step("driver 2", "is offered the order and accepts") as told:
            offer = await until(lambda: self._offer(second, order_id))
            await second.post(f"/delivery/offers/{offer['id']}/accept")
            told["what"] = f"is offered the order, {offer['distanceKm']:.1f} km away, and accepts"
        path = f"/delivery/orders/{order_id}"
        with self._step("driver 2", "picks it up"):
            await second.put(path, status="picked_up")
        with self._step("driver 2", "is on the way"):
            await second.put(path, status="in_transit")
        with self._step("driver 2", "is near the door; the customer is told"):
            await self._at(second, **DOOR)
            await until(lambda: self._near_door(order_id))
        with self._step("driver 2", "delivers, with proof"):
            await second.put(path, status="delivered", proof={"note": "handed to the customer"})

    async def _at(self, driver: Person, latitude: float, longitude: float) -> None:
        await driver.post("/delivery/location", latitude=latitude, longitude=longitude)

    async def _offer(self, driver: Person, order_id: str) -> dict[str, Any] | None:
        offers = await driver.get("/delivery/offers")
        return next((offer for offer in offers if holds(offer, {"id": order_id})), None)

    async def _near_door(self, order_id: str) -> bool:
        order = await self._customer.get(f"/orders/{order_id}")
        return order["nearDoorAt"] is not None

    async def _becomes(self, order_id: str, status: OrderStatus) -> None:
        async def has_become() -> bool:
            order = await self._customer.get(f"/orders/{order_id}")
            return bool(order["status"] == status)

        await until(has_become)

    @contextmanager
    def _step(self, who: str, what: str) -> Iterator[dict[str, str]]:
        """A step of the play; the yielded `what` may be put better once more is known."""
        told, since = {"what": what}, time.monotonic()
        with console.status(f"{who} {what}"):
            yield told
        took = (time.monotonic() - since) * 1000
        console.print(
            f"[dim]{since - self._began:6.2f} s[/]  [bold cyan]{who:9}[/]  {told['what']}"
            f"  [dim]{took:.0f} ms[/]"
        )


async def summarise(order: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """What the order has come to, and what it cost the server that runs it."""
    client = await connect(environment)
    workflow: WorkflowHandle[Any, Any] = client.get_workflow_handle(f"order-{order['id']}")
    await workflow.result()
    history = await workflow.fetch_history()
    kinds = Counter(EventType.Name(event.event_type) for event in history.events)
    return {
        "orderId": order["id"],
        "orderNumber": order["orderNumber"],
        "workflowId": workflow.id,
        "runId": history.run_id,
        "states": [step["status"] for step in order["history"]],
        "historyEvents": len(history.events),
        "workflowTasks": kinds["EVENT_TYPE_WORKFLOW_TASK_COMPLETED"],
        "totalCents": order["totalCents"],
        "booked": order["booked"],
    }


async def play(environment: Mapping[str, str]) -> bool:
    """Play one order and leave its summary in demo.json; whether it was delivered."""
    summary = await summarise(await Play(environment).perform(), environment)
    (HOME / "demo.json").write_text(json.dumps(summary, indent=2) + "\n")
    _show(summary, environment)
    # A process that exits right after its client closed can abort in the SDK's native threads.
    await asyncio.sleep(0.3)
    return bool(summary["states"][-1] == OrderStatus.DELIVERED)


def _show(summary: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    console.print()
    console.print("  →  ".join(summary["states"]), style="bold green")
    console.print(
        f"{summary['orderNumber']}: {_money(summary['totalCents'])},"
        f" {summary['historyEvents']} history events, {summary['workflowTasks']} workflow tasks"
    )
    shares = (f"{account} {_money(cents)}" for account, cents in summary["booked"].items())
    console.print(f"Booked: {', '.join(shares)}")
    # Not wrapped: a link in two lines is none.
    console.print(f"API documents   {environment['API_URL']}/docs", soft_wrap=True)
    if "TEMPORAL_UI_URL" in environment:
        console.print(
            f"This order      {environment['TEMPORAL_UI_URL']}/namespaces/default/workflows/"
            f"{summary['workflowId']}/{summary['runId']}/history",
            soft_wrap=True,
        )


def serve(stack: Stack) -> int:
    """Keep everything up until Ctrl-C; 1 when a server dies."""
    console.print("Everything keeps running. Ctrl-C ends it.", style="bold")
    try:
        while not stack.casualties():
            time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    for died in stack.casualties():
        console.print(str(died), style="red", markup=False)
    return 1


def main() -> int:
    """Start what does not run, play, and serve; stop what was started."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end after the order")
    ends = parser.parse_args().exit
    for signum in (signal.SIGTERM, signal.SIGHUP):
        # A closed terminal, say: what was started is stopped all the same.
        signal.signal(signum, lambda number, _: sys.exit(128 + number))
    stack = Stack(say=console.print)
    ran_before = stack.runs
    try:
        environment = stack.up()
        delivered = asyncio.run(play(environment))
        if ends or not delivered:
            return 0 if delivered else 1
        return serve(stack)
    except (Died, OSError, RuntimeError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if not ran_before:
            try:
                console.print("Stopping.", style="dim")
            finally:
                # Also where the terminal is gone.
                stack.down()


def _money(cents: int) -> str:
    return f"${cents / 100:.2f}"


if __name__ == "__main__":
    sys.exit(main())
