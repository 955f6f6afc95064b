"""Drivers, where they are and were, and the offers made to them (seed 000, Drivers & GPS)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from domain.dispatch.plan import HeldBack
from domain.drivers import DocumentType, Vehicle
from domain.order_status import Actor
from domain.verification import DocumentStatus, Verification
from schema.messages.dispatch import AssignmentStatus
from schema.tables.columns import created, document, key, moment, one_of, reference, texts


class Driver(SQLModel, table=True):
    """A driver and the latest position of his history (the latest of all is in Redis).

    `documents_expire_on` is the last day on which what he must show is good, none if for ever;
    `on_duty_since` is when he last went on duty. `rating` is `rating_sum / rating_count` once
    somebody has rated; both count what is shown of the reviews.
    """

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
        CheckConstraint(
            "rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count",
            name="drivers_ratings_one_to_five",
        ),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id", unique=True)
    vehicle_type: Vehicle = one_of(Vehicle, "drivers_vehicle_type", default=Vehicle.CAR)
    vehicle_plate: str | None = None
    verification_status: Verification = one_of(
        Verification, "drivers_verification_status", default=Verification.PENDING
    )
    verification_reason: str | None = None
    documents_expire_on: date | None = None
    is_available: bool = False
    on_duty_since: datetime | None = moment(default=None)
    rating: float = 0.0
    rating_sum: int = 0
    rating_count: int = 0
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
    """An order offered to a driver, and what became of it. Distance in km, bonus in cents.

    An offer is all rows with its `offer_id` (that of its first row): the orders that the driver is
    to bring, by `stop` from 1. An order has at most one that is live or taken, a driver at most one
    live offer. `why` is what the choice of this driver cost, term by term, in seconds; `ended_by`
    is who took it away again.
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
            postgresql_where=text("status = 'offered' AND stop = 1"),
        ),
        Index("idx_driver_assignments_driver_status", "driver_id", "status"),
        Index("idx_driver_assignments_driver_offered", "driver_id", "offered_at"),
        UniqueConstraint("offer_id", "stop"),
        CheckConstraint("stop > 0", name="driver_assignments_stop_positive"),
        CheckConstraint("bonus_cents >= 0", name="driver_assignments_bonus_not_negative"),
    )

    id: UUID = key()
    offer_id: UUID
    stop: int = 1
    order_id: UUID = reference("orders.id", index=True)
    driver_id: UUID = reference("drivers.id")
    status: AssignmentStatus = one_of(AssignmentStatus, "driver_assignments_status")
    ended_by: Actor | None = one_of(Actor, "driver_assignments_ended_by", default=None)
    distance_km: float
    bonus_cents: int = 0
    reason: str | None = None
    why: dict[str, Any] = document(default_factory=dict)
    estimated_pickup_time: datetime | None = moment(default=None)
    estimated_delivery_time: datetime | None = moment(default=None)
    offered_at: datetime = moment()
    expires_at: datetime = moment()
    responded_at: datetime | None = moment(default=None)


class DriverDocument(SQLModel, table=True):
    """A document that a driver has handed in, and what was decided about it.

    Of each type at most one waits to be looked at. One that is rejected and was `decided_by` nobody
    was for a vehicle that he has no more.
    """

    __tablename__ = "driver_documents"
    __table_args__ = (
        Index(
            "one_pending_document_per_type",
            "driver_id",
            "document_type",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("idx_driver_documents_driver", "driver_id", "created_at"),
    )

    id: UUID = key()
    driver_id: UUID = reference("drivers.id")
    document_type: DocumentType = one_of(DocumentType, "driver_documents_document_type")
    file_url: str
    expires_on: date | None = None
    status: DocumentStatus = one_of(
        DocumentStatus, "driver_documents_status", default=DocumentStatus.PENDING
    )
    reason: str | None = None
    decided_by: UUID | None = reference("users.id", default=None)
    decided_at: datetime | None = moment(default=None)
    created_at: datetime = created()


class DriverShift(SQLModel, table=True):
    """When a driver says that he will be there, or said that he was."""

    __tablename__ = "driver_shifts"
    __table_args__ = (
        UniqueConstraint("driver_id", "starts_at"),
        Index("idx_driver_shifts_driver_ends", "driver_id", "ends_at"),
        CheckConstraint("ends_at > starts_at", name="driver_shifts_start_before_end"),
    )

    id: UUID = key()
    driver_id: UUID = reference("drivers.id")
    starts_at: datetime = moment()
    ends_at: datetime = moment()
    created_at: datetime = created()


class DispatchSearch(SQLModel, table=True):
    """An order that looks for a driver, or did: in which zones, since when, and what operators
    want. `bonus_cents` is what whoever takes it earns on top; until `held_until` nobody is asked;
    `preferred_driver_id` is asked before others. `looked_at` is when a zone looked last,
    `held_back` why nobody was asked then.
    """

    __tablename__ = "dispatch_searches"
    __table_args__ = (
        CheckConstraint("bonus_cents >= 0", name="dispatch_searches_bonus_not_negative"),
    )

    order_id: UUID = reference("orders.id", primary_key=True)
    zones: list[str] = texts()
    joined_at: datetime = moment()
    bonus_cents: int = 0
    held_until: datetime | None = moment(default=None)
    hold_reason: str | None = None
    preferred_driver_id: UUID | None = reference("drivers.id", default=None)
    looked_at: datetime | None = moment(default=None)
    held_back: HeldBack | None = one_of(HeldBack, "dispatch_searches_held_back", default=None)
