"""Whom connections and requests come from: what one of them does too much is held against it alone."""

import ipaddress
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import hdrs, web

from identity.preferences.ip_blocks import IpAddress

ONE_NETWORK: Final = 64
"""Bits of an IPv6 address that count: whoever has one address has all that begin with these."""

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The proxies in front of the edge: what they say of whom a request comes from is believed, and only that."""

    def __init__(self, networks: Iterable[IpNetwork] = ()) -> None:
        self._networks = tuple(networks)

    @classmethod
    def parse(cls, text: str) -> "Proxies":
        """Read addresses and networks with commas between them. Raises `ValueError`."""
        named = (one.strip() for one in text.split(","))
        return cls(ipaddress.ip_network(one, strict=False) for one in named if one)

    def sender_of(self, request: web.Request) -> str:
        """Name whom a request comes from: an IPv4 address, the network of an IPv6 address; "" without an address."""
        return _named(self.address_of(request))

    def address_of(self, request: web.Request) -> IpAddress | None:
        """Give whence a request comes: of what proxies have added, the last address that is no proxy's."""
        sender = _address_of(request.remote)
        if not self._networks or not self._has(sender):
            return sender
        hops = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")
        for hop in reversed(hops):
            address = _address_of(hop.strip())
            if address is None:
                break
            sender = address
            if not self._has(address):
                break
        return sender

    def _has(self, address: IpAddress | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


PROXIES: Final = web.AppKey("proxies", Proxies)


def source_of(peer: Any) -> str:
    """Name whom a connection comes from: an IPv4 address, the network of an IPv6 address; "" without an address."""
    return _named(_address_of(peer[0] if isinstance(peer, tuple | list) and peer else None))


def _address_of(text: Any) -> IpAddress | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except (ValueError, AttributeError):
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _named(address: IpAddress | None) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, ONE_NETWORK), strict=False))
    return "" if address is None else str(address)
