"""Nothing behind our own door is called on behalf of others, whatever they call it."""

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhooks import secret
from providers.partners import Partners
from providers.targets import TargetRefused, Why, is_public, public_addresses
from tests.certificates import certificate
from tests.partner import partner

SECRET = secret("ours", uuid4(), 1)
PUBLIC = "93.184.215.14"
NAME = "till.example.com"

# What RFC 6890 and its successors say is for nobody, or not for everybody.
CLOSED = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
NETWORKS = [ipaddress.ip_network(network) for network in CLOSED]


def resolving(*answers: str) -> Any:
    """A resolver that gives all names the same addresses."""

    async def resolve(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        assert host.isascii()
        return [(0, 0, 0, "", (answer, port)) for answer in answers]

    return resolve


async def why(url: str, *answers: str, private: bool = False) -> Why | None:
    try:
        await public_addresses(url, private=private, resolve=resolving(*answers))
    except TargetRefused as refused:
        return refused.why
    return None


@given(st.sampled_from(NETWORKS).flatmap(lambda network: st.ip_addresses(network=network)))
def test_no_address_of_a_closed_network_is_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address)
    if isinstance(address, IPv4Address):
        assert not is_public(IPv6Address(f"::ffff:{address}"))
        assert not is_public(IPv6Address(f"64:ff9b::{address}"))
        assert not is_public(IPv6Address(f"::{address}"))


@given(st.ip_addresses(v=4))
def test_what_is_in_no_closed_network_is_public_unless_python_knows_better(
    address: IPv4Address,
) -> None:
    if address.is_global and not any(address in network for network in NETWORKS):
        assert is_public(address)
        assert is_public(IPv6Address(f"::ffff:{address}"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://{NAME}/hook?a=b", None),
        (f"https://{NAME}:8443/", None),
        (f"http://{NAME}/", Why.NOT_HTTPS),
        (f"ftp://{NAME}/", Why.NOT_HTTPS),
        (f"https://{NAME}:22/", Why.PORT),
        (f"https://{NAME}:80/", Why.PORT),
        (f"https://user:password@{NAME}/", Why.MALFORMED),
        (f"https://user@{NAME}/", Why.MALFORMED),
        (f"https://{NAME}/#part", Why.MALFORMED),
        ("https:///hook", Why.MALFORMED),
        ("https://[::1", Why.MALFORMED),
        (f"https://{NAME}:99999/", Why.PORT),
    ],
)
async def test_a_target_is_https_on_a_port_for_it_and_names_a_host(
    url: str, expected: Why | None
) -> None:
    assert await why(url, PUBLIC) is expected


async def test_one_private_address_among_others_is_one_too_many() -> None:
    assert await why(f"https://{NAME}/", PUBLIC, "2606:4700::1") is None
    assert await why(f"https://{NAME}/", PUBLIC, "10.0.0.1") is Why.PRIVATE
    assert await why(f"https://{NAME}/", PUBLIC, "fe80::1%eth0") is Why.PRIVATE
    assert await why(f"https://{NAME}/") is Why.UNKNOWN


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]", "localhost"]
)
async def test_other_ways_to_write_this_machine_are_no_way_in(host: str) -> None:
    with pytest.raises(TargetRefused) as refused:
        await public_addresses(f"https://{host}/")

    assert refused.value.why in {Why.PRIVATE, Why.UNKNOWN, Why.MALFORMED}


async def test_a_name_that_nobody_knows_is_said_to_be_that() -> None:
    async def nobody(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        raise socket.gaierror(f"{host}:{port}")

    with pytest.raises(TargetRefused) as refused:
        await public_addresses(f"https://{NAME}/", resolve=nobody)

    assert refused.value.why is Why.UNKNOWN


async def test_a_name_that_is_private_at_the_moment_of_the_call_is_not_called() -> None:
    """It was public when it was registered: what counts is where the connection would go."""
    partners = Partners(private_targets=False, resolve=resolving("127.0.0.1"))
    answer = await partners.post(f"https://{NAME}/hook", uuid4(), {}, [SECRET])
    await partners.aclose()

    assert answer.status is None
    assert answer.error == "the host is not one of the public internet"


async def test_the_connection_goes_to_the_address_that_was_looked_at_and_is_the_names(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    shown = certificate(NAME, tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(shown)
    trusting = ssl.create_default_context(cafile=shown)
    with partner(served) as till:
        partners = Partners(private_targets=True, verify=trusting, resolve=resolve)
        message = uuid4()
        good = await partners.post(
            f"https://{NAME}:{till.port}/hook", message, {"a": "b"}, [SECRET]
        )
        other = await partners.post(
            f"https://other.example.com:{till.port}/hook", message, {}, [SECRET]
        )
        await partners.aclose()

    assert good.is_success
    assert other.error == "ConnectError", "its certificate is another name's"
    assert asked == [NAME, "other.example.com"]
    assert till.names == [NAME, "other.example.com"]
    (received,) = till.received
    assert received.headers["host"] == f"{NAME}:{till.port}"
    assert received.id == str(message)
    assert received.verified(SECRET) == {"a": "b"}


async def test_an_answer_is_a_success_by_its_status_alone_and_is_read_a_little() -> None:
    partners = Partners(private_targets=True, timeout_seconds=0.5)
    with partner() as till:

        async def answered(status: int, text: bytes = b"", **headers: str) -> Any:
            till.status, till.text, till.headers = status, text, headers
            return await partners.post(till.url, uuid4(), {}, [SECRET])

        assert (await answered(204)).is_success
        assert (await answered(302, Location=till.url)).error == "answered 302"
        assert (await answered(500, b"no\x00pe")).answer == "no\ufffdpe"
        assert len((await answered(200, b"x" * 10_000_000)).answer) == 2_000
        assert (await answered(429, **{"Retry-After": "90"})).retry_after.seconds == 90
        for odd in ("-1", "soon", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 99"):
            asked = (await answered(503, **{"Retry-After": odd})).retry_after
            assert asked >= dt.timedelta()
        assert (await answered(410)).is_gone
        calls = len(till.received)
        till.goes_on.clear()
        assert (await answered(200)).error == "no answer within 0.5 s"
    away = await partners.post(till.url, uuid4(), {}, [SECRET])
    await partners.aclose()

    assert away.error == "ConnectError"
    assert len(till.received) == calls + 1, "nothing was sent elsewhere or again"
