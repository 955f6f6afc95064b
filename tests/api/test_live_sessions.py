"""How many may listen as one user."""

from collections.abc import Mapping

import pytest

from api.live.forms import Spoken
from api.live.session import Session, admitted, still_good
from local.cast import Cast
from tests.api.listening import gateway, token_of


class Quiet(Session):
    """One that sends nothing, and keeps why it was ended."""

    ended_with: str | None = None

    def take(self, spoken: Spoken) -> None:
        """There is nobody who reads it."""

    def close(self, ending: Spoken) -> None:
        """Keep why."""
        self.ended_with = ending.payload["code"]


async def test_of_those_who_are_let_in_at_the_same_moment_the_last_are_hung_up_on(
    environment: Mapping[str, str], play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"LIVE_CONNECTIONS": "2"}
    async with gateway(environment, monkeypatch, environment["REDIS_URL"], **limits) as at:
        token = token_of(play.customer)
        three = [await admitted(at.held, token, lambda who: Quiet(at.held, who)) for _ in range(3)]
        for each in three:
            each.begin()

        assert [each.ended_with for each in three] == [None, None, "too_many_connections"]
        assert [await still_good(each) for each in three] == [True, True, False]
        assert set(at.held.hub.of_user(play.world.customer.user_id)) == set(three[:2])
        for each in three:
            each.end()
