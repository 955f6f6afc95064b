"""What customers say about chefs and drivers (seed 000, Reviews & Admin)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from domain.reviews import Reviewee, ReviewStatus
from schema.tables.columns import created, key, moment, one_of, reference, texts


class Review(SQLModel, table=True):
    """A rating from 1 to 5, perhaps with words and photos (keys of the storage): one for each
    order and reviewee, who is a chef or a driver by his id. `status_reason` is a moderator's.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("order_id", "reviewee_type"),
        Index("idx_reviews_reviewee", "reviewee_type", "reviewee_id", "status", "created_at"),
        Index("idx_reviews_reviewer", "reviewer_id", "created_at"),
        Index("idx_reviews_queue", "created_at", postgresql_where=text("status = 'pending'")),
        CheckConstraint("rating BETWEEN 1 AND 5", name="reviews_rating_one_to_five"),
    )

    id: UUID = key()
    order_id: UUID = reference("orders.id")
    reviewer_id: UUID = reference("users.id")
    reviewee_type: Reviewee = one_of(Reviewee, "reviews_reviewee_type")
    reviewee_id: UUID
    rating: int
    comment: str | None = None
    photos: list[str] = texts(default_factory=list)
    status: ReviewStatus = one_of(ReviewStatus, "reviews_status")
    status_reason: str | None = None
    reply: str | None = None
    replied_at: datetime | None = moment(default=None)
    edited_at: datetime | None = moment(default=None)
    created_at: datetime = created()


class ReviewReport(SQLModel, table=True):
    """Somebody thinks that a review should not be seen: once, until a moderator has looked."""

    __tablename__ = "review_reports"
    __table_args__ = (
        Index("idx_review_reports_open", "review_id", postgresql_where=text("handled_at IS NULL")),
    )

    review_id: UUID = reference("reviews.id", primary_key=True)
    reporter_id: UUID = reference("users.id", primary_key=True)
    reason: str
    created_at: datetime = created()
    handled_at: datetime | None = moment(default=None)
