"""Where requests come from, as far as they are counted by it."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection

# What one household or office has of IPv6.
_IPV6_NETWORK = 64


def client_of(asked: HTTPConnection) -> str:
    """The address of a request, as uvicorn says (who believes a proxy, tells uvicorn); of IPv6, its
    network.
    """
    host = asked.client.host if asked.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "nowhere"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_NETWORK), strict=False))
    return host
