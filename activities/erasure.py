"""What the end of an account does: to our rows, our files, Stripe's customer, and in Redis.

Each of these may be repeated after it worked.
"""

from temporalio import activity

from providers.kitchen_pages import KitchenPages
from providers.positions import Positions
from providers.shut_outs import ShutOuts
from providers.storage import Storage
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.erasure import Begin, EndAt, Ending, UserRef
from schema.queries import deletions, drivers, people
from schema.tables import AccountDeletion


class ErasureActivities:
    """Accounts end: first the work, then the doors, then all that is known of somebody."""

    def __init__(
        self,
        database: Database,
        stripe: Stripe,
        storage: Storage,
        positions: Positions,
        *,
        pages: KitchenPages,
        shut_outs: ShutOuts,
    ) -> None:
        self._database = database
        self._stripe = stripe
        self._storage = storage
        self._positions = positions
        self._pages = pages
        self._shut_outs = shut_outs

    @activity.defn
    async def begin_erasure(self, asked: Begin) -> Ending | None:
        """Write down that an account is to end, its kitchen closed and its driver off duty at once;
        without a date only see whether it is to, None where it is not.
        """
        if asked.erase_at is None:
            async with self._database.read() as session:
                return _ending(await deletions.one(session, asked.user_id))
        async with self._database.write() as session:
            row = await deletions.begin(
                session, asked.user_id, at=asked.at, erase_at=asked.erase_at
            )
            driver_id = await drivers.driver_of(session, asked.user_id)
            chef_id = await deletions.chef_of(session, asked.user_id)
        if driver_id is not None:
            await self._positions.forget(driver_id)
        if chef_id is not None:
            await self._pages.changed(chef_id)
        return _ending(row)

    @activity.defn
    async def take_erasure_back(self, whose: UserRef) -> bool:
        """Let an account go on; False where it is closed."""
        async with self._database.write() as session:
            return await deletions.take_back(session, whose.user_id)

    @activity.defn
    async def close_account(self, end: EndAt) -> Ending | None:
        """Let nobody in any more, as soon as nothing of his is open; None where he is back."""
        async with self._database.write() as session:
            row = await deletions.close(session, end.user_id, end.at)
            chef_id = await deletions.chef_of(session, end.user_id)
        if row is not None and chef_id is not None:
            await self._pages.changed(chef_id)
        if row is not None and row.closed_at is not None:
            await self._shut_outs.shut_out(end.user_id)
        return _ending(row)

    @activity.defn
    async def forget_at_stripe(self, whose: UserRef) -> None:
        """Have Stripe forget the customer and his cards; what he has paid stays in its books."""
        async with self._database.read() as session:
            customer = await people.stripe_customer(session, whose.user_id)
        if customer is not None:
            await self._stripe.forget_customer(customer)

    @activity.defn
    async def forget_files(self, whose: UserRef) -> None:
        """Have somebody's pictures and documents no more. Raises StorageAway."""
        async with self._database.read() as session:
            files = await deletions.files(session, whose.user_id)
        await self._storage.forget(files.keys)
        for folder in files.folders:
            await self._storage.forget_folder(folder)

    @activity.defn
    async def erase(self, end: EndAt) -> bool:
        """Forget somebody, his rows in one transaction; False where something of his is open
        again.
        """
        async with self._database.write() as session:
            if not await deletions.erase(session, end.user_id):
                return False
            chef_id = await deletions.chef_of(session, end.user_id)
        if chef_id is not None:
            await self._pages.changed(chef_id)
        async with self._database.write() as session:
            await deletions.finish(session, end.user_id, end.at)
        return True

    @activity.defn
    async def forget_position(self, whose: UserRef) -> None:
        """Forget where somebody is, and what his phone said. Raises RedisError."""
        async with self._database.read() as session:
            driver_id = await drivers.driver_of(session, whose.user_id)
        await self._positions.forget_all(driver_id, whose.user_id)


def _ending(row: AccountDeletion | None) -> Ending | None:
    return None if row is None else Ending.model_validate(row, from_attributes=True)
