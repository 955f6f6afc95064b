"""A driver as he stands, gathered for himself or for an operator."""

from datetime import UTC, datetime
from uuid import UUID

from api.auth import Principal
from api.dependencies import Services
from api.driver_profiles import DriverProfileOut, Seen, driver_profile
from api.errors import not_found
from schema.queries import driver_documents, driver_profiles, driver_records, drivers, shifts
from schema.queries.driver_records import Work


async def driver_of(held: Services, who: Principal) -> UUID:
    """The driver that the caller is; 404 where he is none."""
    async with held.database.read() as session:
        driver_id = await drivers.driver_of(session, who.user_id)
    if driver_id is None:
        raise not_found("driver profile of yours")
    return driver_id


async def profile_of(held: Services, driver_id: UUID) -> DriverProfileOut:
    """A driver, in five statements; 404 where there is none."""
    now = datetime.now(UTC)
    async with held.database.read() as session:
        found = await driver_profiles.profile(session, driver_id)
        if found is None:
            raise not_found("driver")
        work = await driver_records.work(session, [driver_id])
        asked = await driver_records.asked(session, [driver_id])
        documents = await driver_documents.of(session, driver_id)
        shift_ends = await shifts.shift_ends(session, [driver_id], now)
    seen = Seen(found, work.get(driver_id, Work()), asked.get(driver_id, []))
    return driver_profile(held.settings, seen, documents, shift_ends.get(driver_id), now)
