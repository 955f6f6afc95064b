"""Whom we believe that an address is his, and when somebody may give up a way in."""

import pytest

from domain.social import Client, Identity, Provider, may_part


@pytest.mark.parametrize(
    ("email", "is_verified", "owns"),
    [
        ("a@example.com", True, True),
        ("a@example.com", False, False),
        (None, True, False),
        (None, False, False),
    ],
)
def test_an_address_is_somebodys_when_the_provider_says_so(
    email: str | None, is_verified: bool, owns: bool
) -> None:
    assert Identity(Provider.GOOGLE, "1", email, is_verified, "", "").owns_address is owns


@pytest.mark.parametrize(
    ("ways", "has_password", "may"),
    [(1, False, False), (1, True, True), (2, False, True), (2, True, True)],
)
def test_nobody_gives_up_his_last_way_in(ways: int, has_password: bool, may: bool) -> None:
    assert may_part(ways, has_password=has_password) is may


@pytest.mark.parametrize(
    "given",
    [
        {"client_id": "us"},
        {"client_id": "", "client_secret": "x"},
        {"client_id": "us", "team_id": "x", "key_id": "x"},
        {
            "client_id": "us",
            "client_secret": "x",
            "team_id": "x",
            "key_id": "x",
            "private_key": "x",
        },
    ],
    ids=["nothing", "nobody", "half a key", "both"],
)
def test_a_client_proves_itself_in_one_way(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a secret or a team's key"):
        Client(**given)  # type: ignore[arg-type]
