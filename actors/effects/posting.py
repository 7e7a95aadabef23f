"""One request for a notice. Alone in a worker it imports aiohttp, which takes longer than all else together.

Rules come from apps, so a URL may lead anywhere: private addresses are refused where the socket is made, when every
name has been resolved and every spelling of an address read. Redirects are not followed.
"""

import ipaddress
import socket
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from actors.effects.attempt import Failure
from identity.signing import Secrets, signatures
from schemas.effects import Notice, NoticeBody

ATTEMPT_S: Final = 10.0
"""Seconds that a receiver may take to answer, waiting for a connection included."""

MAX_CONNECTIONS: Final = 128
MAX_CONNECTIONS_PER_HOST: Final = 8
"""Connections of a worker at the same time: a slow receiver must not hold up those of others."""

_WITH_IPV4: Final = [ipaddress.ip_network(one) for one in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")]
"""Networks whose last 32 bits are an IPv4 address: compatible, mapped, translated, NAT64."""

_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""Whatever else IPv6 has, or will have, is not the public internet."""

_USER_AGENT: Final = "llum"
_NO_ADDRESS: Final = "the URL is not an http or https address"


class PrivateAddressError(Exception):
    """The URL leads to an address that is not public."""


class Poster:
    """Sends requests for all partitions of a worker, from its making (within an event loop) to `close`."""

    def __init__(self, allow_private: bool) -> None:
        self._session = _session(allow_private)

    async def close(self) -> None:
        await self._session.close()

    async def post(self, notice: Notice, secrets: Secrets) -> Failure | None:
        """Send a notice, signed with these; None: the receiver has taken it."""
        url = _checked_url(notice.url)
        if url is None:
            return Failure(_NO_ADDRESS, final=True)
        body = body_of(notice)
        try:
            async with self._session.request(
                notice.method, url, data=body, headers=_headers(notice, url, body, secrets), allow_redirects=False
            ) as response:
                return _judged(response)
        except PrivateAddressError as error:
            return Failure(str(error), final=True)
        except aiohttp.InvalidURL:
            return Failure(_NO_ADDRESS, final=True)
        except TimeoutError:
            return Failure(f"no answer within {ATTEMPT_S:g} s")
        except Exception as error:  # noqa: BLE001 - whatever a stranger's URL or server brings about
            return Failure(f"{type(error).__name__}: {error}"[:500])


def _headers(notice: Notice, url: URL, body: bytes | None, secrets: Secrets) -> dict[str, str]:
    headers = {"User-Agent": _USER_AGENT, "Llum-Id": notice.id}
    headers |= signatures(secrets, notice.app, str(url).encode() if body is None else body)
    return headers if body is None else {**headers, "Content-Type": "application/json"}


def body_of(notice: Notice) -> bytes | None:
    """Give the bytes that a POST carries, the same at every attempt; None for a GET."""
    if notice.method == "GET":
        return None
    fields = {name: getattr(notice, name) for name in NoticeBody.__struct_fields__}
    return msgspec.json.encode(NoticeBody(**fields))


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet, also when it is wrapped into an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if _wraps_ipv4(ip) else None)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast


def _wraps_ipv4(ip: ipaddress.IPv6Address) -> bool:
    return any(ip in network for network in _WITH_IPV4)


def _session(allow_private: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=MAX_CONNECTIONS,
        limit_per_host=MAX_CONNECTIONS_PER_HOST,
        # Each connection is made, and so each address checked, anew.
        force_close=True,
        use_dns_cache=False,
        happy_eyeballs_delay=None,
        socket_factory=None if allow_private else _public_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ATTEMPT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


def _public_socket(info: Any) -> socket.socket:
    """Make the socket for an address that is about to be connected to, if it is a public one."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddressError("the URL leads to a private address")
    return socket.socket(family=family, type=kind, proto=protocol)


def _checked_url(text: str) -> URL | None:
    try:
        url = URL(text)
        return url.with_fragment(None) if url.scheme in ("http", "https") and url.host else None
    except ValueError:
        return None


def _judged(response: aiohttp.ClientResponse) -> Failure | None:
    if 200 <= response.status < 300:
        return None
    reason = f"the receiver answered {response.status}"
    if 300 <= response.status < 400:
        return Failure(f"{reason}: redirects are not followed", final=True)
    after = response.headers.get("Retry-After", "")
    return Failure(
        reason, again_after_s=float(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0.0
    )
