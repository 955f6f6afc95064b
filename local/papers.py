"""The documents of drivers who are simply there: whoever needs them has them, all approved."""

from collections.abc import Iterator
from datetime import date

from domain import drivers
from domain.drivers import Vehicle
from domain.verification import DocumentStatus
from schema.tables import Driver, DriverDocument
from schema.tables.columns import now


def plate(vehicle: Vehicle, number: int) -> str | None:
    """The plate of the vehicle, if it has one."""
    return f"RND {number}" if drivers.needs_plate(vehicle) else None


def good_until(vehicle: Vehicle) -> date | None:
    """The last day on which a driver's papers are good; None for ever."""
    return _end() if drivers.needs_plate(vehicle) else None


def approved(driver: Driver) -> Iterator[DriverDocument]:
    """All that a driver must show."""
    for kind in drivers.required(driver.vehicle_type):
        yield DriverDocument(
            driver_id=driver.id,
            document_type=kind,
            file_url=f"https://files.example.com/{driver.id}/{kind}.jpg",
            expires_on=_end() if drivers.needs_end(kind) else None,
            status=DocumentStatus.APPROVED,
            decided_at=now(),
        )


def _end() -> date:
    return date(now().year + 2, 12, 31)
