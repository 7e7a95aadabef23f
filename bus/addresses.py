"""Addresses of nats-server: that of one, or those of a cluster with commas between them. A login may stand in them."""

import re
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

_LOGIN: Final = re.compile(r"//[^/]*@")
"""Reaches to the last @, as a password may hold one, or a comma."""


def each(url: str) -> list[str]:
    """Part the addresses of several servers."""
    return [address for address in url.split(",") if address]


def places(url: str) -> list[SplitResult]:
    """Give the parts of each address."""
    return [urlsplit(address) for address in each(url)]


def with_login(url: str, user: str, password: str) -> str:
    """Put a login into each address, in place of one that is there. What comes out is to be shown to nobody."""
    login = f"{user}:{password}@"
    return ",".join(urlunsplit(parts._replace(netloc=login + _place(parts))) for parts in places(url))


def without_login(url: str) -> str:
    """Take the logins out."""
    return ",".join(urlunsplit(parts._replace(netloc=_place(parts))) for parts in places(url))


def login_in(url: str) -> dict[str, Any]:
    """Give the user and password, or the token, in the first address that holds one; it counts for all of them.

    Servers that are discovered later want them, too.
    """
    for parts in places(url):
        login, at, _ = parts.netloc.rpartition("@")
        user, colon, password = login.partition(":")
        if at:
            return {"user": unquote(user), "password": unquote(password)} if colon else {"token": unquote(login)}
    return {}


def with_hidden_logins(text: str) -> str:
    """Give what may be shown of addresses, or of what somebody has given in place of them."""
    return _LOGIN.sub("//***@", text)


def _place(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
