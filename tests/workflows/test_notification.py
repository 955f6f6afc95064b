"""A message goes out when it is due, and arrives once, whatever becomes of those who pass it on."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.notifications import PayeeAlert
from domain.preferences import Channel
from local.people import until
from local.world import Somebody
from schema.tables import DeadChannel, Device, Notification, User
from schema.tables.columns import now
from settings import Settings
from tests.workflows.sorting_office import SortingOffice, sorting_office
from workflows.notification import NotificationWorkflow

EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[SortingOffice]:
    """An office with a chef and two drivers, whose workflows are replayed afterwards."""
    async with sorting_office(settings) as opened:
        yield opened
        replayer = Replayer(
            workflows=[NotificationWorkflow], data_converter=pydantic_data_converter
        )
        for somebody in (opened.world.chef, *opened.world.drivers):
            for row in await opened.deliveries(somebody):
                handle = opened.room.client.get_workflow_handle(f"notification-{row.id}")
                await replayer.replay_workflow(await handle.fetch_history())


async def everywhere(office: SortingOffice, whom: Somebody) -> dict[str, str]:
    """Let somebody be reached on every way: where each leads."""
    await office.wants(whom, EMAIL, SMS, PUSH)
    return {
        "mail": whom.email,
        "sms": await office.phone(whom),
        "push": await office.app(whom),
        "web_push": await office.browser(whom),
    }


async def arrived(office: SortingOffice, places: dict[str, str]) -> list[str]:
    """What has arrived at some places, way by way."""
    return [got["kind"] for place in places.values() for got in await office.got(place)]


async def test_quiet_hours_hold_everything_back_until_they_end_but_a_live_offer(
    office: SortingOffice,
) -> None:
    driver, other = office.world.drivers
    await office.room.off_duty(other)
    places = await everywhere(office, driver)
    awake = now() + timedelta(hours=2)
    await office.wants(driver, EMAIL, SMS, PUSH, quiet=(now() - timedelta(hours=1), awake))
    await office.tell(driver)

    run = await office.room.begin()
    await run.cook()
    await run.offered(driver)
    await until(lambda: _are_there(office, places, 3))
    at_once = await arrived(office, places)
    await run.take(driver)
    await office.room.skip(timedelta(hours=1, minutes=50))
    before_the_end = await arrived(office, places)
    await office.room.skip(timedelta(minutes=15))
    await office.settled(driver)

    assert at_once == before_the_end == ["sms", "push", "web_push"]
    assert sorted(await arrived(office, places)) == sorted([*places, *at_once])
    (mail,) = await office.got(driver.email)
    assert (mail["copies"], mail["html"] is not None) == (1, True)


async def _are_there(office: SortingOffice, places: dict[str, str], number: int) -> bool:
    return len(await arrived(office, places)) >= number


async def test_while_a_provider_is_away_for_an_hour_or_its_answers_are_lost_a_message_arrives_once(
    office: SortingOffice,
) -> None:
    chef, driver = office.world.chef, office.world.drivers[0]
    places, lost = await everywhere(office, chef), await everywhere(office, driver)
    ops_hook = office.room.settings.ops_webhook_url.get_secret_value()
    hook = {"webhook": ops_hook.rpartition("/")[2], "mail": office.room.settings.ops_email}
    for place in lost.values():
        await office.go_wrong(place, "drop_after", times=1)
    for place in (*places.values(), *hook.values()):
        await office.go_wrong(place, "down")

    await office.tell(driver)
    await office.tell(chef, PayeeAlert.PAYOUT_FAILED)
    await office.tried(chef)
    await office.tried(driver)
    await office.room.skip(timedelta(hours=1))
    assert await arrived(office, places | hook) == []
    for place in (*places.values(), *hook.values()):
        assert await office.struck(place) > 10
        await office.go_right(place)
    await office.room.skip(timedelta(minutes=6))

    assert {status for _, status in await office.settled(chef)} == {"sent"}
    assert await office.settled(office.world.admin) == [
        ("ops_email", "sent"),
        ("ops_webhook", "sent"),
    ]
    assert {status for _, status in await office.settled(driver)} == {"sent"}
    # As whoever handed them over and died before he had written it down.
    await office.hand_over_again(chef, driver)
    for place in (*places.values(), *hook.values()):
        assert [got["copies"] for got in await office.got(place)] == [1]
    assert await arrived(office, lost) == list(lost)
    copies = {kind: (await office.got(place))[0]["copies"] for kind, place in lost.items()}
    # Twilio was asked and knew it; mailbox and phone know the second copy by its key.
    assert copies == {"mail": 2, "sms": 1, "push": 2, "web_push": 2}


async def test_where_nothing_arrives_any_more_nothing_is_sent_until_there_is_hope(
    office: SortingOffice,
) -> None:
    chef = office.world.chef
    places = await everywhere(office, chef)
    for place in places.values():
        await office.go_wrong(place, "dead")

    await office.tell(chef)
    assert {status for _, status in await office.settled(chef)} == {"dead"}
    first = await office.deliveries(chef)
    await office.tell(chef)

    assert [row.attempts for row in first] == [1] * len(places)
    assert await office.deliveries(chef) == first
    assert [await office.struck(place) for place in places.values()] == [1] * len(places)
    async with office.database.read() as session:
        dead = await session.scalars(
            select(col(DeadChannel.channel)).where(col(DeadChannel.user_id) == chef.user_id)
        )
        assert set(dead) == {EMAIL, SMS}
        assert None not in set(await session.scalars(select(col(Device.dead_at))))
        told = await session.scalars(
            select(Notification).where(col(Notification.user_id) == chef.user_id)
        )
        assert len(list(told)) == 2
    # Another address is not the one where nothing arrived.
    async with office.database.write() as session:
        user = await session.get(User, chef.user_id)
        assert user is not None
        user.email = f"new-{user.email}"
    await office.tell(chef)
    assert (await office.settled(chef))[len(first) :] == [("email", "sent")]
    assert len(await office.got(f"new-{chef.email}")) == 1


async def test_what_is_of_no_use_any_more_is_not_sent(office: SortingOffice) -> None:
    chef, driver = office.world.chef, office.world.drivers[0]
    await office.wants(chef, EMAIL, PUSH)
    token = await office.app(chef)
    await office.wants(driver, EMAIL)
    for place in (chef.email, token, driver.email):
        await office.go_wrong(place, "down")
    await office.tell(chef)
    await office.tell(driver)
    await office.tried(chef)
    await office.tried(driver)

    async with office.database.write() as session:
        told = await session.scalar(
            select(Notification).where(col(Notification.user_id) == chef.user_id)
        )
        assert told is not None
        told.is_read = True
    await office.wants(chef, PUSH)
    await office.room.skip(timedelta(hours=25))

    assert sorted(await office.settled(chef)) == [("email", "skipped"), ("push", "skipped")]
    assert {row.error for row in await office.deliveries(chef)} == {"switched_off", "read"}
    (late,) = await office.deliveries(driver)
    assert (late.status, late.error) == ("failed", "the mail server says 451")
    assert await office.got(driver.email) == []


async def test_quiet_hours_that_begin_while_a_provider_is_away_hold_back_what_it_has_not_taken(
    office: SortingOffice,
) -> None:
    chef, begin = office.world.chef, now()
    quiet = (begin + timedelta(hours=1), begin + timedelta(hours=9))
    await office.wants(chef, EMAIL, quiet=quiet)
    await office.go_wrong(chef.email, "down")
    await office.tell(chef)
    await office.tried(chef)

    await office.room.skip(timedelta(hours=2))
    await office.go_right(chef.email)
    await office.room.skip(timedelta(hours=6, minutes=50))
    assert await office.got(chef.email) == []
    assert await office.outcomes(chef) == [("email", "pending")]
    await office.room.skip(timedelta(minutes=15))

    assert await office.settled(chef) == [("email", "sent")]
    assert [got["copies"] for got in await office.got(chef.email)] == [1]
