"""Which addresses of an issuer may be asked: https, and http only where all is on this machine."""

import ipaddress
from urllib.parse import urlsplit


def is_safe(url: str) -> bool:
    """Tell whether nobody on the way can read or change what is sent there: https, or http to this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.fragment or not url.isascii():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def is_within(url: str, issuer: str) -> bool:
    """Tell whether an issuer may send us there: an issuer elsewhere has no business with this machine over http."""
    return is_safe(url) and (urlsplit(url).scheme == "https" or urlsplit(issuer).scheme == "http")


def is_loopback(host: str) -> bool:
    """Tell whether a host of a URL is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
