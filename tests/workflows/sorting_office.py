"""A sorting office: an engine room with books of its own, in which people are told something, and
everybody who passes messages on is at hand.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.delivering import DeliveryStatus
from domain.notifications import PayeeAlert
from domain.preferences import Channel, Event
from domain.wording import amount
from local import world as worlds
from local.people import until
from local.world import Somebody, World
from schema.database import Database
from schema.queries import notifications, outbox
from schema.queries.notifications import PayeeParty
from schema.tables import (
    Device,
    DeviceKind,
    Notification,
    NotificationDelivery,
    NotificationPreferences,
    UserProfile,
)
from schema.tables.columns import now
from settings import Settings
from tests.databases import new_database
from tests.workflows.room import Room, engine_room


@dataclass
class Readers:
    """Who there is, how they are reached, and what they get."""

    database: Database
    world: World
    post: httpx.AsyncClient

    async def tell(self, whom: Somebody, occasion: PayeeAlert = PayeeAlert.PAYOUT_PAID) -> None:
        """Tell a chef or driver about his money."""
        async with self.database.write() as session:
            party = PayeeParty(whom.id, whom.user_id, "Test")
            words = {"amount": amount(1601, "usd")}
            await notifications.tell_payee(
                session, occasion, party, key=str(uuid7()), reason="no_account", words=words
            )

    async def wants(
        self,
        whom: Somebody,
        *channels: Channel,
        quiet: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Let somebody want everything by these channels, and no noise in his quiet hours."""
        choices = {
            event.value: {channel.value: channel in channels for channel in Channel}
            for event in Event
        }
        kept = NotificationPreferences(user_id=whom.user_id, choices=choices)
        if quiet is not None:
            kept.quiet_from, kept.quiet_until = (f"{at:%H:%M}" for at in quiet)
            kept.timezone = "UTC"
        async with self.database.write() as session:
            await session.merge(kept)

    async def phone(self, whom: Somebody) -> str:
        """Give somebody a number that is known to be his."""
        number = f"+1512{uuid4().int % 10**7:07d}"
        async with self.database.write() as session:
            profile = await session.scalar(
                select(UserProfile).where(col(UserProfile.user_id) == whom.user_id)
            )
            assert profile is not None
            profile.phone = profile.verified_phone = number
        return number

    async def app(self, whom: Somebody) -> str:
        """Give somebody the app; the token that it is reached by."""
        token = uuid4().hex
        await self._device(whom, kind=DeviceKind.FCM, token=token)
        return token

    async def browser(self, whom: Somebody) -> str:
        """Have somebody's browser subscribe; its endpoint."""
        made = (await self.post.post("/_control/subscriptions")).json()
        endpoint: str = made["endpoint"]
        await self._device(whom, kind=DeviceKind.WEB_PUSH, token=endpoint, **made["keys"])
        return endpoint

    async def _device(self, whom: Somebody, **values: Any) -> None:
        async with self.database.write() as session:
            session.add(Device(user_id=whom.user_id, last_seen_at=now(), **values))

    async def go_wrong(self, to: str, kind: str, times: int | None = None) -> None:
        """Have something go wrong with messages to somebody."""
        fault = {"to": to, "kind": kind, "times": times}
        (await self.post.post("/_control/faults", json=fault)).raise_for_status()

    async def go_right(self, to: str) -> None:
        """Have nothing go wrong with them any more."""
        (await self.post.delete("/_control/faults", params={"to": to})).raise_for_status()

    async def struck(self, to: str) -> int:
        """How often something went wrong with messages to somebody."""
        answer = await self.post.get("/_control/faults", params={"to": to})
        return int(answer.json()["struck"])

    async def got(self, to: str) -> list[dict[str, Any]]:
        """What somebody got, the newest first."""
        found: list[dict[str, Any]] = (await self.post.get("/inbox", params={"to": to})).json()
        return found

    async def outcomes(self, whom: Somebody) -> list[tuple[str, str]]:
        """What became of messages to somebody: way and status, the first first."""
        return [(row.channel, row.status) for row in await self.deliveries(whom)]

    async def deliveries(self, whom: Somebody) -> list[NotificationDelivery]:
        """Messages to somebody, the first first."""
        async with self.database.read() as session:
            found = await session.scalars(
                select(NotificationDelivery)
                .join(
                    Notification, col(Notification.id) == col(NotificationDelivery.notification_id)
                )
                .where(col(Notification.user_id) == whom.user_id)
                .order_by(col(NotificationDelivery.id))
            )
            return list(found)

    async def settled(self, whom: Somebody) -> list[tuple[str, str]]:
        """Wait until nothing to somebody is on its way; what became of it."""

        async def is_settled() -> list[tuple[str, str]] | None:
            found = await self.outcomes(whom)
            return found if "pending" not in {status for _, status in found} else None

        return await until(is_settled)

    async def tried(self, whom: Somebody) -> None:
        """Wait until what waits for somebody was tried, and it is known how that went."""

        async def was_tried() -> bool:
            found = await self.deliveries(whom)
            return all(row.error or row.status is not DeliveryStatus.PENDING for row in found)

        await until(was_tried)


@dataclass
class SortingOffice(Readers):
    """Readers, and the room in which messages to them are sent."""

    room: Room

    async def hand_over_again(self, *those: Somebody) -> None:
        """Have it forgotten that workflows have the messages to some people, and wait until they
        have dealt with them once more.
        """
        async with self.database.write() as session:
            await session.execute(update(NotificationDelivery).values(handed_over_at=None))
            await outbox.wake(session)

        async def are_handed_over() -> bool:
            rows = [row for whom in those for row in await self.deliveries(whom)]
            return all(row.handed_over_at for row in rows)

        await until(are_handed_over)
        for whom in those:
            for row in await self.deliveries(whom):
                await self.room.client.get_workflow_handle(f"notification-{row.id}").result()


@asynccontextmanager
async def books(settings: Settings) -> AsyncIterator[tuple[Settings, Database, World]]:
    """A database of its own, with a chef and two drivers, and settings that name it, and a webhook
    and a list that only its operators read.
    """
    url = await new_database(settings.database_url, f"sorting_office_{uuid7().hex}")
    hook = settings.ops_webhook_url.get_secret_value().rpartition("/")[0]
    own = settings.model_copy(
        update={
            "database_url": url,
            "ops_webhook_url": SecretStr(f"{hook}/{uuid4().hex}"),
            "ops_email": f"ops-{uuid4().hex}@example.com",
        }
    )
    database = Database(url, pool_size=3)
    yield own, database, await worlds.settle(database, drivers=2)
    await database.close()


@asynccontextmanager
async def sorting_office(settings: Settings) -> AsyncIterator[SortingOffice]:
    """An office for one test."""
    async with (
        books(settings) as (own, database, world),
        engine_room(own, database, world, cached_workflows=1000, notifies=True) as room,
        httpx.AsyncClient(base_url=own.twilio_base_url or "") as post,
    ):
        yield SortingOffice(database, world, post, room)
