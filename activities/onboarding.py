"""What the onboarding of payees has done at Stripe, and written down about it.

Each of these may be repeated after it worked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import stripe
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.stripe_calls import kept_errors, key, refusal, refusals
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.payees import Account, FindAccount, Link, OpenLink, PayeeNews, PayeeRef
from schema.queries import notifications, payees
from schema.queries.payees import Payee, Standing
from schema.tables.columns import now

# There is no such chef or driver.
UNKNOWN_PAYEE = "UnknownPayee"

# So Stripe calls an account that was deleted, or whose owner does not let us in any more.
_GONE = "account_invalid"


class OnboardingActivities:
    """Payees' accounts at Stripe. `countries` are those of the markets, the usual one first."""

    def __init__(
        self, database: Database, stripe_client: Stripe, countries: Mapping[str, str]
    ) -> None:
        self._database = database
        self._stripe = stripe_client
        self._countries = countries

    @activity.defn
    async def find_account(self, asked: FindAccount) -> Account:
        """See how a payee's account stands at Stripe and write it down; open it if there is none.

        Tells the payee and ops what has changed. Fails for good with UnknownPayee, and with
        StripeRefused.
        """
        payee = await self._payee(asked)
        seen_at = now()
        with _all_refusals(), kept_errors():
            if payee.account_id is None:
                stands = standing(await self._open(payee, asked), seen_at)
            else:
                stands = await self._look(payee.account_id, seen_at)
        async with self._database.write() as session:
            noted = await payees.note_account(session, payee, stands)
        return Account.model_validate(noted, from_attributes=True)

    @activity.defn
    async def open_link(self, asked: OpenLink) -> Link:
        """Open a page of Stripe's for the owner of an account; fails for good (StripeRefused)."""
        with _all_refusals():
            link = await self._stripe.account_link(
                asked.account_id, return_url=asked.return_url, refresh_url=asked.refresh_url
            )
        return Link(url=link.url, expires_at=datetime.fromtimestamp(link.expires_at, UTC))

    @activity.defn
    async def tell_payee(self, news: PayeeNews) -> None:
        """Tell a payee and ops what concerns them, once."""
        payee = await self._payee(news)
        async with self._database.write() as session:
            await notifications.tell_payee(
                session, news.alert, payee.party, key=news.key, reason=news.reason
            )

    async def _payee(self, ref: PayeeRef) -> Payee:
        async with self._database.read() as session:
            payee = await payees.payee(session, ref)
        if payee is None:
            raise ApplicationError(
                f"there is no {ref.kind} {ref.payee_id}", type=UNKNOWN_PAYEE, non_retryable=True
            )
        return payee

    async def _look(self, account_id: str, seen_at: datetime) -> Standing:
        try:
            return standing(await self._stripe.account(account_id), seen_at)
        except stripe.PermissionError as error:
            # The SDK reads the code of a 403 no further than this.
            if error.error is None or error.error.code != _GONE:
                raise
            return Standing(account_id, False, False, [], _GONE, seen_at)

    async def _open(self, payee: Payee, asked: FindAccount) -> stripe.Account:
        if activity.info().attempt > 1 or asked.refused_before:
            # An earlier call may have worked, and its key be another one or forgotten by now.
            earlier = await self._stripe.account_with(payee.metadata, payee.since)
            if earlier is not None:
                return earlier
        step = f"account:{asked.refused_before}" if asked.refused_before else "account"
        market = payee.market or next(iter(self._countries))
        return await self._stripe.create_account(
            email=payee.email,
            country=self._countries[market],
            metadata=payee.metadata,
            key=key(f"onboarding-{payee.ref.payee_id}", step),
        )


def standing(account: stripe.Account, seen_at: datetime) -> Standing:
    """How an account stands, in our words; it was asked for at `seen_at`."""
    requirements = account.requirements
    return Standing(
        account_id=account.id,
        details_submitted=bool(account.details_submitted),
        payouts_enabled=bool(account.payouts_enabled),
        requirements_due=list((requirements and requirements.currently_due) or []),
        disabled_reason=requirements.disabled_reason if requirements else None,
        seen_at=seen_at,
    )


@contextmanager
def _all_refusals() -> Iterator[None]:
    """As all refusals; what we are not allowed is one, too, such as an account that is gone."""
    try:
        with refusals():
            yield
    except stripe.PermissionError as error:
        raise refusal(error.user_message or str(error)) from error
