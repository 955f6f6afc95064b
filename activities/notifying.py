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
    async def send_notification(self, outgoing: Outgoing) -> Outgoing | None:
        """Send a message, unless it is sent already or not worth sending any more. Where nothing is
        to ring now, it is not sent, and the answer is the message as it is due later.

        Fails with Away as long as it is not taken. No error names whom it is to.
        """
        errand = await self._begun(outgoing)
        if not isinstance(errand, Errand):
            return errand
        try:
            provider_id = await self._ways.pass_on(errand)
        except Refused as error:
            await self._give_up(outgoing, errand, error)
            return None
        except Away as error:
            async with self._database.write() as session:
                await deliveries.note_trouble(session, outgoing, str(error))
            raise ApplicationError(str(error), type="Away") from None
        async with self._database.write() as session:
            await deliveries.note_sent(session, outgoing, provider_id)
        return None

    @activity.defn
    async def give_notification_up(self, outgoing: Outgoing) -> None:
        """Write down that a message could not be sent in time."""
        async with self._database.write() as session:
            await deliveries.close(session, outgoing, DeliveryStatus.FAILED)

    async def _begun(self, outgoing: Outgoing) -> Errand | Outgoing | None:
        """What there is to send now, or later, if anything is."""
        # By the clock that the workflow waits by.
        at = activity.info().started_time
        async with self._database.write() as session:
            errand = await deliveries.errand(session, outgoing, at)
            if errand is None:
                return None
            standing = replace(errand.standing, is_set_up=self._ways.has(errand))
            found = obstacle(errand.delivery.channel, standing)
            if found is not None:
                await deliveries.close(session, outgoing, ends_as(found), found)
                return None
            if errand.quiet_until is not None:
                return await deliveries.postpone(session, outgoing, at, errand.quiet_until)
            await deliveries.begin(session, outgoing.delivery_id, now())
        return errand

    async def _give_up(self, outgoing: Outgoing, errand: Errand, error: Refused) -> None:
        status = DeliveryStatus.DEAD if error.is_dead else DeliveryStatus.FAILED
        async with self._database.write() as session:
            await deliveries.close(session, outgoing, status, str(error))
            if error.is_dead:
                await deliveries.bury(session, errand, str(error), now())
