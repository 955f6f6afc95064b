"""SendGrid is believed with its signature over exactly what it sent, however old that is."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from providers.sendgrid_events import BadSendGridKey, is_signed, public_key
from tests.sendgrid import Console, shown


def test_what_it_has_signed_is_signed() -> None:
    console = Console()
    signature = console.sign(b"[]", "1")

    assert is_signed(b"[]", signature=signature, timestamp="1", key=console.key)
    assert not is_signed(b"[] ", signature=signature, timestamp="1", key=console.key)
    assert not is_signed(b"[]", signature=signature, timestamp="2", key=console.key)
    assert not is_signed(b"[]", signature=signature, timestamp="1", key=Console().key)


@pytest.mark.parametrize("signature", ["", "abc", "\u00fc", "AAAA", "!" * 96, "MEUCIQ=="])
def test_what_is_no_signature_signs_nothing(signature: str) -> None:
    assert not is_signed(b"[]", signature=signature, timestamp="1", key=Console().key)


@pytest.mark.parametrize(
    "written",
    [
        "none",
        "\u00fc",
        base64.b64encode(b"none").decode(),
        shown(ec.generate_private_key(ec.SECP384R1()).public_key()),
        shown(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()),
    ],
)
def test_a_key_that_is_none_is_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(BadSendGridKey) as refused:
        public_key(written)
    assert written not in str(refused.value)
