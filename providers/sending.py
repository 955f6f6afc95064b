"""What may become of a message at whoever passes it on. No error names whom it was to."""

from http import HTTPStatus

import httpx


class Away(Exception):
    """It is not taken now. `may_have_worked` says that the answer was lost, not the message."""

    def __init__(self, words: str, *, may_have_worked: bool = False) -> None:
        super().__init__(words)
        self.may_have_worked = may_have_worked


class Refused(Exception):
    """It will never be taken. `is_dead` says that nothing else to there will be, either."""

    def __init__(self, words: str, *, is_dead: bool = False) -> None:
        super().__init__(words)
        self.is_dead = is_dead


def unanswered(who: str, error: httpx.HTTPError) -> Away:
    """What a request that met no answer comes to."""
    never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return Away(f"{who} does not answer: {type(error).__name__}", may_have_worked=not never_left)


def says(
    who: str, answer: httpx.Response, *, never: frozenset[HTTPStatus], is_dead: bool = False
) -> Away | Refused:
    """What an answer comes to that is not a yes; `never` are the statuses that stay so."""
    words = f"{who} says {answer.status_code}"
    if is_dead or answer.status_code in never:
        return Refused(words, is_dead=is_dead)
    # A server that failed may have done so afterwards.
    failed = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Away(words, may_have_worked=failed)
