"""The addresses that a browser may be sent back to with a code: compared exactly, and of three sorts only.

A program on the person's own machine takes any port that is free, so of a loopback address the port may vary (RFC 8252,
7.3).
"""

import re
from typing import Final
from urllib.parse import urlsplit

from schemas.errors import Code, Refusal

MAX_URI_CHARACTERS: Final = 2048
"""Characters of an address: browsers and proxies cut longer ones."""

_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?((?:[/?].*)?)")
"""Host and the rest; the port stands between them."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]*")
"""What an address may hold (RFC 3986) but for `#`, which browsers keep, and `*`, which looks like a wildcard."""

_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name or an address. Others could hold what a header of a page takes for more than a host, or deceive people."""

_PRIVATE_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
"""A domain name turned around, as RFC 8252 wants the scheme of an app's own: `com.example.app`."""

_WEB: Final = ("http", "https")

SORTS: Final = (
    "use https://, http://127.0.0.1/ for a program on the person's machine, or a scheme like com.example.app:"
)


def redirect_matches(registered: str, uri: str) -> bool:
    """Tell whether an address is the registered one: exactly, but for the port of a loopback address."""
    if uri == registered:
        return True
    own, given = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(uri)
    return own is not None and given is not None and own.groups() == given.groups() and _has_real_port(uri)


def check_redirect(uri: str, field: str, *, plain_http: bool = False) -> str:
    """Return an address that may be registered, or raise `bad_field`. `plain_http`: also http to any host."""
    if not uri or len(uri) > MAX_URI_CHARACTERS or _PLAIN.fullmatch(uri) is None:
        message = f"{uri[:80]!r} is no address that a browser may be sent back to"
        raise Refusal(Code.BAD_FIELD, message, field, "write it whole, without * or #, with all else percent-encoded")
    if not _is_of_a_sort(uri, plain_http):
        raise Refusal(Code.BAD_FIELD, f"a browser is not sent back to {uri[:80]!r}", field, SORTS)
    return uri


def check_page(uri: str, field: str, *, plain_http: bool = False) -> str:
    """Return the address of a page of the web, or raise `bad_field`."""
    check_redirect(uri, field, plain_http=plain_http)
    if urlsplit(uri).scheme not in _WEB:
        raise Refusal(Code.BAD_FIELD, f"{uri[:80]!r} is no page of the web", field, "begin it with https://")
    return uri


def _is_of_a_sort(uri: str, plain_http: bool) -> bool:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme not in _WEB:
        return _PRIVATE_SCHEME.fullmatch(uri.partition(":")[0]) is not None and not parts.netloc.count("@")
    if "@" in parts.netloc or _HOST.fullmatch(parts.hostname or "") is None:
        return False
    return parts.scheme == "https" or plain_http or (_LOOPBACK.fullmatch(uri) is not None and _has_real_port(uri))


def _has_real_port(uri: str) -> bool:
    try:
        return urlsplit(uri).port != 0
    except ValueError:
        return False
