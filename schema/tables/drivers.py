"""Drivers, where they are and were, and the offers made to them (seed 000, Drivers & GPS)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from schema.messages.dispatch import AssignmentStatus
from schema.tables.columns import created, key, moment, one_of, reference
from schema.tables.kitchens import Verification


class Driver(SQLModel, table=True):
    """A driver and the latest position of his history (the latest of all is in Redis)."""

    __tablename__ = "drivers"
    __table_args__ = (
        Index(
            "idx_drivers_location",
            text("ll_to_earth(current_latitude, current_longitude)"),
            postgresql_using="gist",
        ),
        Index(
            "idx_drivers_available",
            "is_available",
            "verification_status",
            postgresql_where=text("is_available AND verification_status = 'approved'"),
        ),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id", unique=True)
    vehicle_type: str = "car"
    verification_status: Verification = one_of(
        Verification, "drivers_verification_status", default=Verification.PENDING
    )
    is_available: bool = False
    rating: float = 0.0
    current_latitude: float | None = None
    current_longitude: float | None = None
    located_at: datetime | None = moment(default=None)
    stripe_account_id: str | None = reference("connected_accounts.id", default=None, unique=True)
    created_at: datetime = created()


class DriverLocation(SQLModel, table=True):
    """Where a driver was: accuracy in m, speed in m/s, heading in degrees from north."""

    __tablename__ = "driver_locations"
    __table_args__ = (
        # Sent again, or by two processes at once, it is there once.
        UniqueConstraint("driver_id", "recorded_at"),
        Index("idx_driver_locations_recorded_at", "recorded_at"),
    )

    id: UUID = key()
    driver_id: UUID = reference("drivers.id")
    latitude: float
    longitude: float
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None
    recorded_at: datetime = moment()


class DriverAssignment(SQLModel, table=True):
    """An offer of an order to a driver, and what became of it. Distance in km.

    An order has at most one offer that is live or taken, a driver at most one that is live.
    """

    __tablename__ = "driver_assignments"
    __table_args__ = (
        Index(
            "one_live_offer_per_order",
            "order_id",
            unique=True,
            postgresql_where=text("status IN ('offered', 'accepted')"),
        ),
        Index(
            "one_live_offer_per_driver",
            "driver_id",
            unique=True,
            postgresql_where=text("status = 'offered'"),
        ),
        Index("idx_driver_assignments_driver_status", "driver_id", "status"),
    )

    id: UUID = key()
    order_id: UUID = reference("orders.id")
    driver_id: UUID = reference("drivers.id")
    status: AssignmentStatus = one_of(AssignmentStatus, "driver_assignments_status")
    distance_km: float
    reason: str | None = None
    estimated_pickup_time: datetime | None = moment(default=None)
    offered_at: datetime = moment()
    expires_at: datetime = moment()
    responded_at: datetime | None = moment(default=None)
