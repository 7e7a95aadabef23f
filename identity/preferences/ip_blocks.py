"""Blocks of addresses from which a credential may be used, as the documents of the original write them."""

import ipaddress
import re
from typing import Any, Final

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_CIDR: Final = re.compile(r"([^/]+)/([0-9]{1,3})")


def allows(blocks: Any, address: IpAddress | None) -> bool:
    """Tell whether an address may be used. `blocks` are a text or a list of texts; null or "": all addresses may.

    A block with a `/` is a network, whose host bits do not count; one without is an address. What is neither, or of the
    other family, has no address in it. `address` is None where there is none: a socket of this machine.
    """
    if not blocks and not isinstance(blocks, list):
        return True
    listed = blocks if isinstance(blocks, list) else [blocks]
    return address is not None and any(_has(block, _unmapped(address)) for block in listed)


def _has(block: Any, address: IpAddress) -> bool:
    if not isinstance(block, str):
        return False
    cidr = _CIDR.fullmatch(block.strip())
    try:
        if cidr is None:
            return ipaddress.ip_address(block.strip()) == address
        # Only a number of bits: `ip_network` would take a mask of an address, too.
        return address in ipaddress.ip_network((cidr[1], int(cidr[2])), strict=False)
    except ValueError:
        return False


def _unmapped(address: IpAddress) -> IpAddress:
    """Give the IPv4 address that an IPv6 address stands for."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
