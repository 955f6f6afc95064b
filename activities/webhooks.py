"""Telling partners what was written down for them: one try at a time."""

from collections import Counter
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from domain import webhooks as rules
from domain.notifications import Alert, KitchenAlert
from domain.webhooks import DeliveryStatus, OffBecause
from providers.partners import Answer, Partners
from schema.database import Database
from schema.messages.webhooks import Try, Verdict
from schema.queries import notifications, webhook_deliveries, webhook_endpoints
from schema.queries.webhook_deliveries import Errand
from schema.tables import WebhookAttempt, WebhookEndpoint

_OVER = Verdict(wait=None)


class WebhookActivities:
    """A try whose worker dies before it is written down is made again: a partner may get a message
    twice, and knows it by its id. `at_once` messages at most are on their way to one endpoint, so
    that one who does not answer holds up nobody else.
    """

    def __init__(
        self, database: Database, partners: Partners, secret: str, *, at_once: int
    ) -> None:
        self._database = database
        self._partners = partners
        self._secret = secret
        self._at_once = at_once
        self._under_way: Counter[UUID] = Counter()

    @activity.defn
    async def deliver_webhook(self, attempt: Try) -> Verdict:
        """Try to deliver a message, unless nobody waits for that any more."""
        at = activity.info().started_time
        async with self._database.read() as session:
            errand = await webhook_deliveries.errand(session, attempt.delivery_id)
        if errand is None or errand.delivery.status is not DeliveryStatus.PENDING:
            return _OVER
        if not errand.endpoint.enabled:
            # It was written down while somebody switched the endpoint off.
            async with self._database.write() as session:
                await webhook_deliveries.cancel(session, attempt.delivery_id)
            return _OVER
        endpoint_id = errand.endpoint.id
        if self._under_way[endpoint_id] >= self._at_once:
            return Verdict(wait=attempt.if_busy, was_busy=True)
        self._under_way[endpoint_id] += 1
        try:
            answer = await self._send(errand, at)
        finally:
            self._under_way[endpoint_id] -= 1
            # Counters keep what has come to nothing.
            self._under_way += Counter()
        async with self._database.write() as session:
            return await _note(session, errand, attempt, answer, at)

    async def _send(self, errand: Errand, at: datetime) -> Answer:
        delivery, endpoint = errand
        versions = rules.signing_versions(
            endpoint.signing_version, endpoint.oldest_signing_version, endpoint.rotated_at, at
        )
        secrets = [rules.secret(self._secret, endpoint.id, version) for version in versions]
        return await self._partners.post(endpoint.url, delivery.id, delivery.payload, secrets)


async def _note(
    session: AsyncSession, errand: Errand, attempt: Try, answer: Answer, at: datetime
) -> Verdict:
    """Write a try down, and what follows from it."""
    endpoint = errand.endpoint
    failing_since: datetime | None = None
    if answer.is_success:
        await webhook_endpoints.note_success(session, endpoint.id)
    else:
        failing_since = await webhook_endpoints.note_failure(session, endpoint.id, at)
    row = await webhook_deliveries.locked(session, attempt.delivery_id)
    if row is None:
        return _OVER
    row.attempts += 1
    row.tried_since = row.tried_since or at
    row.last_status, row.last_error, row.next_attempt_at = answer.status, answer.error, None
    await session.flush()
    await webhook_deliveries.log(
        session,
        WebhookAttempt(
            delivery_id=row.id,
            number=row.attempts,
            status=answer.status,
            error=answer.error,
            answer=answer.answer,
            milliseconds=answer.milliseconds,
            attempted_at=at,
        ),
    )
    if answer.is_success:
        row.status, row.delivered_at = DeliveryStatus.SUCCEEDED, at
        return _OVER
    # Meanwhile it may have been cancelled, or somebody has asked for it anew.
    if row.status is not DeliveryStatus.PENDING or row.round != errand.delivery.round:
        return _OVER
    if answer.is_gone:
        row.status = DeliveryStatus.FAILED
        await session.flush()
        await _switch_off(session, endpoint, OffBecause.GONE, at)
        return _OVER
    if attempt.pause is None:
        row.status = DeliveryStatus.EXHAUSTED
        await session.flush()
        if failing_since is not None and failing_since <= row.tried_since:
            await _switch_off(session, endpoint, OffBecause.FAILING, at)
        return _OVER
    wait = rules.asked_to_wait(attempt.pause, answer.retry_after, attempt.left)
    row.next_attempt_at = at + wait
    return Verdict(wait=wait)


async def _switch_off(
    session: AsyncSession, endpoint: WebhookEndpoint, because: OffBecause, at: datetime
) -> None:
    """Send nothing to an endpoint any more, and tell whose it is, once."""
    if not await webhook_endpoints.switch_off(session, endpoint.id, because, at):
        return
    key = f"webhook:{endpoint.id}:{at.isoformat()}"
    words = {"host": urlsplit(endpoint.url).hostname, "reason": because.value}
    party = await webhook_endpoints.party(session, endpoint.id)
    if party is None:
        await notifications.tell_ops(session, Alert.WEBHOOK_OFF, key=key, words=words)
    else:
        await notifications.tell_kitchen(
            session, KitchenAlert.WEBHOOK_OFF, party, key=key, words=words
        )
