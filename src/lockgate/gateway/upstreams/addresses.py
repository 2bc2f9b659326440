"""Which addresses an upstream may have: those at which clouds keep the machine's own credentials are refused.

A name is judged by what it resolves to at the moment of connecting, so a name that changes its address later gains
nothing (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from lockgate.gateway.errors import GatewayError

Address = IPv4Address | IPv6Address
_LOOPBACK_NAMES = frozenset({"localhost", "localhost."})
# Link-local, "this network", multicast, and the metadata services that lie outside link-local: Alibaba Cloud, Azure's
# platform address, AWS over IPv6, Oracle's classic address.
_REFUSED = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::/32",
        "fd20:ce::/32",
    )
)
_ADDRESS_CHARS = frozenset("0123456789.:")
_NAT64 = ip_network("64:ff9b::/96")


class RefusedAddressError(OSError):
    """A name resolves to an address that no upstream may have."""


def address_of(text: str) -> Address | None:
    """The address that `text` writes out, or None where it is a name."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_loopback(url: str) -> bool:
    """Whether a URL can only lead to this machine."""
    host = urlsplit(url).hostname or ""
    address = address_of(host)
    return address.is_loopback if address else host.lower() in _LOOPBACK_NAMES


def forbidden(address: Address, allowed: frozenset[Address]) -> bool:
    """Whether no upstream may have this address, seen through the ways to write IPv4 as IPv6."""
    forms = {address, _inner(address)}
    if forms & allowed:
        return False
    return any(form in network for form in forms for network in _REFUSED if form.version == network.version)


def named(addresses: Sequence[str], *, upstream: str) -> frozenset[Address]:
    """The addresses that settings allow by name.

    Raises:
        GatewayError: One is no address.
    """
    found: set[Address] = set()
    for text in addresses:
        address = address_of(text)
        if address is None:
            raise GatewayError(
                f"allow_addresses of the upstream {upstream!r} holds something that is no IP address.",
                remedy="Write the one address that is meant, for instance 169.254.10.2.",
            )
        found.add(address)
    return frozenset(found)


def check_url(url: str, allowed: frozenset[Address], *, upstream: str) -> None:
    """Refuse a base URL whose very text shows that it must not be used.

    Raises:
        GatewayError: It carries a user name, a query or a fragment, has no host, or a forbidden address.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    # Clients take digits and dots for an address and resolve nothing, so an odd spelling would never be judged.
    odd = bool(host) and address_of(host or "") is None and set(host or "") <= _ADDRESS_CHARS
    if not host or odd or parts.username is not None or parts.query or parts.fragment:
        raise GatewayError(
            f"The base_url of the upstream {upstream!r} is no plain address.",
            remedy="Write scheme, host, port and path only; the key has settings of its own.",
        )
    address = address_of(host)
    if address and forbidden(address, allowed):
        raise GatewayError(
            f"The base_url of the upstream {upstream!r} is an address where machines keep credentials.",
            remedy="If it is right all the same, name it in that upstream's 'allow_addresses'.",
        )


async def resolve(host: str, port: int, allowed: frozenset[Address], family: int = 0) -> list[tuple[str, int]]:
    """Resolve a name to (address, family) pairs.

    Raises:
        OSError: The name has no address, or one that is forbidden: then none of them is used.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
    pairs = [(str(place[0]), int(kind)) for kind, _, _, _, place in found]
    refuse_forbidden([text for text, _ in pairs], allowed)
    return pairs


def refuse_forbidden(texts: Sequence[str], allowed: frozenset[Address]) -> None:
    """Raise when one of the addresses is forbidden.

    Raises:
        RefusedAddressError: One is, or is no address at all.
    """
    for text in texts:
        address = address_of(text)
        if address is None or forbidden(address, allowed):
            raise RefusedAddressError("This name leads to an address that no upstream may have.")


def _inner(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
