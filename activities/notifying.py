"""Sending what people are told on other ways than the app."""

from dataclasses import replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ways import Ways
from domain.delivering import DeliveryStatus, ends_as, obstacle
from providers.sending import Away, Refused
from schema.database import Database
from schema.messages.deliveries import Outgoing
from schema.queries import deliveries
from schema.queries.deliveries import Errand
from schema.tables.columns import now


class NotifyingActivities:
    """May be repeated after a message was passed on: what then keeps it from being a second one,
    says `activities.ways`.
    """

    def __init__(self, database: Database, ways: Ways) -> None:
        self._database = database
        self._ways = ways

    @activity.defn
    async def send_notification(self, outgoing: Outgoing) -> None:
        """Send a message, unless it is sent already or not worth sending any more.

        Fails with Away as long as it is not taken. No error names whom it is to.
        """
        errand = await self._begun(outgoing)
        if errand is None:
            return
        try:
            provider_id = await self._ways.pass_on(errand)
        except Refused as error:
            await self._give_up(outgoing, errand, error)
            return
        except Away as error:
            async with self._database.write() as session:
                await deliveries.note_trouble(session, outgoing, str(error))
            raise ApplicationError(str(error), type="Away") from None
        async with self._database.write() as session:
            await deliveries.note_sent(session, outgoing, provider_id)

    @activity.defn
    async def give_notification_up(self, outgoing: Outgoing) -> None:
        """Write down that a message could not be sent in time."""
        async with self._database.write() as session:
            await deliveries.close(session, outgoing, DeliveryStatus.FAILED)

    async def _begun(self, outgoing: Outgoing) -> Errand | None:
        """What there is to send, if anything is."""
        async with self._database.write() as session:
            errand = await deliveries.errand(session, outgoing)
            if errand is None:
                return None
            standing = replace(errand.standing, is_set_up=self._ways.has(errand))
            found = obstacle(errand.delivery.channel, standing)
            if found is not None:
                await deliveries.close(session, outgoing, ends_as(found), found)
                return None
            await deliveries.begin(session, outgoing.delivery_id, now())
        return errand

    async def _give_up(self, outgoing: Outgoing, errand: Errand, error: Refused) -> None:
        status = DeliveryStatus.DEAD if error.is_dead else DeliveryStatus.FAILED
        async with self._database.write() as session:
            await deliveries.close(session, outgoing, status, str(error))
            if error.is_dead:
                await deliveries.bury(session, errand, str(error), now())
