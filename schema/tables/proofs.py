"""What drivers show when they hand an order over; written by the facade.

The customer's code is in the order's row and nowhere else: no message, no history, no log holds it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.photos import PhotoType
from schema.tables.columns import created, key, one_of, reference


class DeliveryPhoto(SQLModel, table=True):
    """A driver's photo of a delivery, the file itself in the storage under `storage_key`.

    `digest` is its SHA-256 in hex, latitude and longitude where it was taken if the driver's phone
    said so. Of several the newest counts.
    """

    __tablename__ = "delivery_photos"
    __table_args__ = (UniqueConstraint("order_id", "driver_id", "digest"),)

    id: UUID = key()
    order_id: UUID = reference("orders.id")
    driver_id: UUID = reference("drivers.id")
    storage_key: str
    digest: str
    bytes: int
    content_type: PhotoType = one_of(PhotoType, "delivery_photos_content_type")
    latitude: float | None = None
    longitude: float | None = None
    created_at: datetime = created()


class WrongCode(SQLModel, table=True):
    """A code that a driver has given and that is not the customer's. The same again is no other
    attempt, so that a request that comes twice costs no more than one.
    """

    __tablename__ = "wrong_codes"

    order_id: UUID = reference("orders.id", primary_key=True)
    code: str = Field(primary_key=True)
    driver_id: UUID = reference("drivers.id")
    created_at: datetime = created()
