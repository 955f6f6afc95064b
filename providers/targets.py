"""Addresses that others give us to call: none that lies behind our own door.

What is looked at is what a name resolves to, at the moment of the call, and the connection goes to
that very address: a name that pointed elsewhere a moment ago, or will in a moment, is of no use.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpx

Address = IPv4Address | IPv6Address
# As `socket.getaddrinfo`: what a host name and a port resolve to.
Resolve = Callable[[str, int], Awaitable[Sequence[tuple[Any, ...]]]]

PORTS = frozenset({443, 8443})

# Beyond what Python's `ipaddress` says is not for everybody, or says so only in newer versions:
# shared by carriers, translated to other addresses, for documents, and where clouds tell machines
# their secrets.
_REFUSED = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


class Why(StrEnum):
    """What is wrong with a target; codes of problems."""

    NOT_HTTPS = "target_not_https"
    PORT = "target_port"
    MALFORMED = "target_malformed"
    UNKNOWN = "target_unknown"
    PRIVATE = "target_private"


_WORDS = {
    Why.NOT_HTTPS: "the address has to begin with https://",
    Why.PORT: f"the port has to be {' or '.join(map(str, sorted(PORTS)))}",
    Why.MALFORMED: "the address has to name a host, and neither a login nor a fragment",
    Why.UNKNOWN: "the host cannot be found",
    Why.PRIVATE: "the host is not one of the public internet",
}


class TargetRefused(httpx.TransportError):
    """A target that is not called."""

    def __init__(self, why: Why) -> None:
        super().__init__(_WORDS[why])
        self.why = why


def is_public(address: Address) -> bool:
    """Whether an address is one that everybody can reach, and nothing else."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED)
    )


async def getaddrinfo(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """As this machine resolves names."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def public_addresses(
    url: str | httpx.URL, *, private: bool = False, resolve: Resolve = getaddrinfo
) -> list[Address]:
    """What a target's name resolves to, if it may be called: by https, on a port for that, and
    every address of it public. With `private`, http, other ports and all addresses are good.

    Raises TargetRefused.
    """
    target = _checked(url, private=private)
    try:
        found = await resolve(_host(target), _port(target))
    except (OSError, UnicodeError, OverflowError) as error:
        raise TargetRefused(Why.UNKNOWN) from error
    # The zone of a link-local address is no part of it.
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise TargetRefused(Why.UNKNOWN)
    if not private and not all(is_public(address) for address in addresses):
        raise TargetRefused(Why.PRIVATE)
    return list(dict.fromkeys(addresses))


class PublicOnly(httpx.AsyncBaseTransport):
    """Lets an `httpx.AsyncClient` call public targets alone, by the address that was looked at; the
    certificate has to be the name's all the same.

    `inner` must not keep connections: another name at the same address would get the first one's.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        private: bool = False,
        resolve: Resolve = getaddrinfo,
    ) -> None:
        self._inner = inner
        self._private = private
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises TargetRefused, and httpx's errors."""
        url = request.url
        addresses = await public_addresses(url, private=self._private, resolve=self._resolve)
        extensions = {**request.extensions, "sni_hostname": _host(url)}
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_to(request, address, extensions))
            except httpx.ConnectError:
                continue
        return await self._inner.handle_async_request(_to(request, addresses[-1], extensions))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()


def _to(request: httpx.Request, address: Address, extensions: dict[str, Any]) -> httpx.Request:
    """The same request, to one address; its Host header says the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _checked(url: str | httpx.URL, *, private: bool) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise TargetRefused(Why.MALFORMED) from error
    if target.scheme != "https" and not (private and target.scheme == "http"):
        raise TargetRefused(Why.NOT_HTTPS)
    if not target.host or target.userinfo or target.fragment:
        raise TargetRefused(Why.MALFORMED)
    if not private and _port(target) not in PORTS:
        raise TargetRefused(Why.PORT)
    return target


def _host(target: httpx.URL) -> str:
    return target.raw_host.decode("ascii")


def _port(target: httpx.URL) -> int:
    return target.port or (443 if target.scheme == "https" else 80)
