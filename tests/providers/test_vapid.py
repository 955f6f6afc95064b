"""In which forms the key for web push may be given."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.prepare import new_key, new_vapid_key
from providers.vapid import BadVapidKey, private_key, public_key


def test_all_its_forms_are_the_same_key() -> None:
    raw = new_vapid_key()
    key = private_key(raw)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    sec1 = key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    forms = [
        raw,
        f" {raw}=\n",
        pem,
        pem.replace("\n", "\\n"),
        sec1,
        base64.b64encode(der).decode(),
        base64.urlsafe_b64encode(der).decode(),
    ]

    assert {public_key(private_key(form)) for form in forms} == {public_key(key)}
    point = base64.urlsafe_b64decode(public_key(key) + "=")
    assert (len(point), point[0]) == (65, 4)


def other_curve() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "wrong",
    ["none", "AAAA", "A" * 43, "-----BEGIN PRIVATE KEY-----", "é", new_key, other_curve],
    ids=["words", "short", "zero", "half", "letters", "rsa", "curve"],
)
def test_what_is_no_key_says_so_and_not_what_it_is(wrong: object) -> None:
    written = wrong() if callable(wrong) else str(wrong)
    with pytest.raises(BadVapidKey) as refused:
        private_key(written)
    assert written[:20] not in str(refused.value)
