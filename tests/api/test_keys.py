"""In which forms a key may be given."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from api.keys import BadKey, keyring, thumbprint
from local.prepare import new_key
from settings import Settings
from tests.test_settings import NEEDED

# RFC 7638, section 3.1.
EXAMPLE_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb"
    "WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368Q"
    "QMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2"
    "NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
EXAMPLE_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def given(key: str, old: str = "") -> Settings:
    return Settings.of({**NEEDED, "JWT_PRIVATE_KEY": key, "JWT_OLD_KEYS": old})


def test_a_key_is_named_by_its_thumbprint() -> None:
    n = int.from_bytes(base64.urlsafe_b64decode(EXAMPLE_N + "=="))
    key = rsa.RSAPublicNumbers(65537, n).public_key()

    assert thumbprint(key) == EXAMPLE_THUMBPRINT


def test_pem_and_base64_are_the_same_key_private_or_public() -> None:
    line = new_key()
    key = load_der_private_key(base64.b64decode(line), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    another = new_key()

    assert keyring(given(pem)).kid == keyring(given(line)).kid
    assert keyring(given(pem.replace("\n", "\\n"))).kid == keyring(given(line)).kid
    for old in (line, pem, public, f"{public},{another}"):
        ring = keyring(given(another, old))
        assert list(ring.accepted) == [keyring(given(another)).kid, keyring(given(line)).kid]


def public_half() -> str:
    key = load_der_private_key(base64.b64decode(new_key()), None)
    written = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(written).decode()


def of_another_kind() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def too_small() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("bad", [public_half, of_another_kind, too_small, str, lambda: "no key"])
def test_what_cannot_sign_is_refused_without_being_told(bad: object) -> None:
    text = bad()  # type: ignore[operator]

    with pytest.raises(BadKey) as refused:
        keyring(given(text))

    assert not text or text not in str(refused.value)
