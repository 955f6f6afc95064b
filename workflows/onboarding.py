"""The life of a payee's account at Stripe: opened, completed, watched for as long as he is paid.

A run knows nothing that PostgreSQL and Stripe do not: one that was terminated is simply started
again, by the next fact or the next request for a link.
"""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    FailureError,
    is_cancelled_exception,
)

from workflows.options import AT_ONCE, DATABASE, HOWEVER_LONG, PAYOUTS_QUEUE, stripe_call
from workflows.steps import until

with workflow.unsafe.imports_passed_through():
    from activities.onboarding import UNKNOWN_PAYEE, OnboardingActivities
    from domain.notifications import PayeeAlert
    from schema.messages.payees import (
        Account,
        AccountUpdated,
        FindAccount,
        LinkAsk,
        OnboardingLink,
        OpenLink,
        PayeeNews,
        PayeeRef,
    )

# How long after the account was opened who is told that it is not complete.
REMINDERS = (
    (timedelta(days=1), PayeeAlert.ONBOARDING_REMINDER),
    (timedelta(days=7), PayeeAlert.ONBOARDING_REMINDER),
    (timedelta(days=14), PayeeAlert.ONBOARDING_OVERDUE),
)
# Stripe tells when an account changes; word that was lost is made up for, and what was refused is
# asked for again.
LOOK_AGAIN = timedelta(days=1)

FIRST = Priority(priority_key=1)

# Temporal takes 2000 updates of a run.
_MOST_LINKS = 500


@workflow.defn
class OnboardingWorkflow:
    """One payee's account."""

    @workflow.init
    def __init__(self, payee: PayeeRef) -> None:
        self._payee = payee
        self._account: Account | None = None
        self._news = False
        self._refusal: str | None = None
        self._refusals = 0
        self._reminded = 0
        self._links = 0

    @workflow.run
    async def run(self, payee: PayeeRef) -> None:
        """Live for as long as there is the payee."""
        while not self._has_lived_long():
            await self._look()
            await self._remind()
            await until(
                lambda: self._news or self._has_lived_long(), self._next_look(), "look again"
            )
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(payee)

    @workflow.update
    async def link(self, ask: LinkAsk) -> OnboardingLink:
        """Open a page of Stripe's for the payee; another one each time."""
        self._links += 1
        account = await self._opened()
        try:
            link = await workflow.execute_activity_method(
                OnboardingActivities.open_link,
                OpenLink(**dict(ask), account_id=account.id),
                summary="open a page at Stripe",
                # Somebody waits for it; a payout run's thousands of calls do not.
                priority=FIRST,
                **stripe_call(within=AT_ONCE, queue=PAYOUTS_QUEUE),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
                raise _refused("OnboardingRefused", error.cause.message) from error
            raise _refused("StripeUnavailable", "Stripe does not answer") from error
        return OnboardingLink(**dict(link), account=account)

    @workflow.signal
    def account_updated(self, fact: AccountUpdated) -> None:  # noqa: ARG002 - Stripe is asked
        """Stripe: the account stands otherwise than before."""
        self._news = True

    async def _opened(self) -> Account:
        """The account, once there is one. Raises a refusal when there is none soon."""
        if self._account is None and self._refusal is not None:
            # What was wrong may have been mended since.
            self._refusal, self._news = None, True
        await until(
            lambda: self._account is not None or self._refusal is not None,
            workflow.now() + AT_ONCE,
            "the account is opened",
        )
        if self._account is not None:
            return self._account
        if self._refusal is not None:
            raise _refused("OnboardingRefused", self._refusal)
        raise _refused("StripeUnavailable", "Stripe does not answer")

    async def _look(self) -> None:
        """See how the account stands; whom a change concerns is told with that."""
        self._news = False
        self._say("Looking at the account at Stripe")
        try:
            self._account = await workflow.execute_activity_method(
                OnboardingActivities.find_account,
                FindAccount(**dict(self._payee), refused_before=self._refusals),
                summary="find the account, or open it",
                priority=FIRST,
                **stripe_call(within=HOWEVER_LONG, queue=PAYOUTS_QUEUE),
            )
        except ActivityError as error:
            if is_cancelled_exception(error) or _is_unknown(error):
                raise
            self._refusals += 1
            cause = error.cause
            self._refusal = cause.message if isinstance(cause, FailureError) else str(error)
            await self._tell(
                PayeeAlert.ONBOARDING_REFUSED, f"{workflow.now():%Y-%m-%d}", self._refusal
            )
            self._say(f"Stripe refuses the account: {self._refusal}")
        else:
            self._refusal = None
            self._say(_standing(self._account))

    async def _remind(self) -> None:
        """Say that the account is not complete, when that is due; each time once."""
        account = self._account
        if account is None or account.onboarded_at is not None:
            return
        due = [
            (number, alert)
            for number, (after, alert) in enumerate(REMINDERS, start=1)
            if account.created_at + after <= workflow.now()
        ]
        if not due or due[-1][0] <= self._reminded:
            return
        self._reminded, alert = due[-1]
        if alert is PayeeAlert.ONBOARDING_OVERDUE or account.waits_for_payee:
            await self._tell(alert, f"reminder-{self._reminded}")

    def _next_look(self) -> datetime:
        """Tomorrow, or when somebody has to be reminded before that."""
        tomorrow = workflow.now() + LOOK_AGAIN
        if self._account is None:
            return tomorrow
        reminders = [self._account.created_at + after for after, _ in REMINDERS]
        return min([tomorrow, *(at for at in reminders if at > workflow.now())])

    async def _tell(self, alert: PayeeAlert, key: str, reason: str | None = None) -> None:
        await workflow.execute_local_activity_method(
            OnboardingActivities.tell_payee,
            PayeeNews(**dict(self._payee), alert=alert, key=key, reason=reason),
            summary=f"tell: {alert}",
            **DATABASE,
        )

    def _has_lived_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() or self._links >= _MOST_LINKS

    def _say(self, words: str) -> None:
        workflow.set_current_details(words)


def _is_unknown(error: ActivityError) -> bool:
    return isinstance(error.cause, ApplicationError) and error.cause.type == UNKNOWN_PAYEE


def _refused(kind: str, words: str) -> ApplicationError:
    return ApplicationError(
        words, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN
    )


def _standing(account: Account) -> str:
    """For operators, in the Temporal UI."""
    if account.can_be_paid:
        return f"{account.id} can be paid"
    if account.disabled_reason:
        return f"{account.id} cannot be paid: {account.disabled_reason}"
    return f"{account.id} waits for {'the payee' if account.waits_for_payee else 'Stripe'}"
