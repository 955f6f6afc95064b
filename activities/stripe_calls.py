"""How calls to Stripe that change something are made, whatever workflow they are for."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import stripe
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities import heartbeat


def key(workflow_id: str, step: str) -> str:
    """The same for the same step, until Stripe has answered it with an error that it keeps."""
    errors = heartbeat.noted()
    return f"{workflow_id}:{step}:error-{errors}" if errors else f"{workflow_id}:{step}"


@contextmanager
def kept_errors() -> Iterator[None]:
    """A 500 is kept by Stripe under its key and given again: the next attempt has another key.

    It is an answer, so that the next attempt may look how things stand, and act. Whatever is none
    (a timeout, a gateway's error) leaves the key as it is: the call may still be under way.
    """
    try:
        yield
    except stripe.APIError as error:
        if error.http_status == HTTPStatus.INTERNAL_SERVER_ERROR:
            heartbeat.note(heartbeat.noted() + 1)
        raise


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal of Stripe fails for good; no answer, too busy or broken is tried again."""
    try:
        yield
    except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        if error.http_status == HTTPStatus.CONFLICT:
            # The first attempt is still under way: its answer comes with the next one.
            raise
        raise refusal(error.user_message or str(error)) from error


def refusal(words: str, kind: str = "StripeRefused") -> ApplicationError:
    """It is not done, however often it is asked for: expected, no reason for an alert."""
    return ApplicationError(
        words,
        type=kind,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
