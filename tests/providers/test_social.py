"""Where people are sent to log in, and that a client proves itself as each provider wants it."""

from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from domain.social import Client, Provider
from providers.social import SocialLogins, Verifier

BACK = "https://api.example.com/callback"
VERIFIER = Verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "a-nonce")


def apple_key() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


@pytest.mark.parametrize(
    ("provider", "address"),
    [
        (Provider.GOOGLE, "https://accounts.google.com/o/oauth2/v2/auth"),
        (Provider.FACEBOOK, "https://www.facebook.com/v23.0/dialog/oauth"),
        (Provider.APPLE, "https://appleid.apple.com/auth/authorize"),
    ],
)
async def test_without_a_stand_in_people_are_sent_to_the_real_one(
    provider: Provider, address: str
) -> None:
    client = (
        Client("us", team_id="team", key_id="key", private_key=apple_key())
        if provider is Provider.APPLE
        else Client("us", "secret")
    )
    logins = SocialLogins({provider: client}, timeout_seconds=1)

    sent_to = urlsplit(logins.address(provider, BACK, "a-state", VERIFIER))

    assert f"https://{sent_to.netloc}{sent_to.path}" == address
    asked = {name: values[0] for name, values in parse_qs(sent_to.query).items()}
    assert asked["client_id"] == "us"
    assert asked["redirect_uri"] == BACK
    assert asked["state"] == "a-state"
    # RFC 7636, appendix B.
    assert asked["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert VERIFIER.code_verifier not in sent_to.query
    assert asked.get("response_mode") == ("form_post" if provider is Provider.APPLE else None)
    await logins.aclose()


def test_a_key_that_is_none_is_noticed_before_anybody_logs_in() -> None:
    client = Client("us", team_id="team", key_id="key", private_key="not a key")

    with pytest.raises(ValueError, match="apple has no private key"):
        SocialLogins({Provider.APPLE: client}, timeout_seconds=1)


def test_a_client_does_not_show_what_it_proves_itself_with() -> None:
    assert "hidden" not in repr(Client("us", "hidden"))
