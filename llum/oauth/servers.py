"""Which llum is at an address: found by what it says of itself (RFC 9728, then RFC 8414), and by nothing else."""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from identity.issuers.urls import is_loopback
from llum.failures import Fault
from llum.oauth.asking import get_json
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.issuers.fetching import Fetcher

RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource"
SERVER_METADATA: Final = "/.well-known/oauth-authorization-server"
BUS_MEMBER: Final = "llum_bus"
"""The member of the metadata that says where programs reach the bus."""

_ADDRESS_HINT: Final = "Give the address at which llum is shown in a browser, such as https://llum.example."


class Server(msgspec.Struct, frozen=True, omit_defaults=True):
    """An llum, and where programs sign in to it."""

    url: str
    """How it calls itself: what its tokens are for."""
    issuer: str
    token_endpoint: str
    authorization_endpoint: str = ""
    device_authorization_endpoint: str = ""
    revocation_endpoint: str = ""
    bus: str = ""
    """The address of its bus for programs; empty: it names none."""


async def discover(asking: "Fetcher", url: str) -> Server:
    """Find the llum at an address.

    Raises `Refusal` for an address that cannot be one, `Fault` where no llum is or it cannot be trusted, `Transient`.
    """
    url = checked_address(url)
    about = await _metadata(asking, url, RESOURCE_METADATA)
    own = str(about.get("resource", "")).rstrip("/")
    if place_of(own) != place_of(url):
        raise Fault(f"the llum at {url} calls itself {own}", f"Use that address. {_ADDRESS_HINT}")
    url = own
    servers = about.get("authorization_servers")
    issuer = str(servers[0]) if isinstance(servers, list) and servers else url
    checked_address(issuer)
    says = await _metadata(asking, issuer, SERVER_METADATA)
    if says.get("issuer") != issuer:
        raise Fault(f"who lets people in to {url} calls itself {says.get('issuer')}, and not {issuer}", _ADDRESS_HINT)
    return Server(
        url=url,
        issuer=issuer,
        token_endpoint=_endpoint(says, "token_endpoint", needed=True),
        authorization_endpoint=_endpoint(says, "authorization_endpoint"),
        device_authorization_endpoint=_endpoint(says, "device_authorization_endpoint"),
        revocation_endpoint=_endpoint(says, "revocation_endpoint"),
        bus=str(about.get(BUS_MEMBER) or ""),
    )


def checked_address(url: str) -> str:
    """Return the address of an llum without a slash at its end. Raises `bad_field`.

    What is not on this machine needs TLS: a token that goes unprotected is everybody's.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise Refusal(Code.BAD_FIELD, f"{url[:200]!r} is not the address of an llum", "url", _ADDRESS_HINT)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        hint = "use https; only an llum on this machine may be reached without"
        raise Refusal(Code.BAD_FIELD, f"{url[:200]} is not protected", "url", hint)
    return url.rstrip("/")


def place_of(url: str) -> str:
    """Give the address by which two are compared: this machine has several names, and they mean the same."""
    parts = urlsplit(url)
    if not (parts.hostname and is_loopback(parts.hostname)):
        return url.rstrip("/")
    return f"{parts.scheme}://localhost:{parts.port or ''}{parts.path.rstrip('/')}"


def _endpoint(says: dict[str, Any], name: str, *, needed: bool = False) -> str:
    address = says.get(name)
    if address is None and not needed:
        return ""
    checked_address(str(address))
    return str(address)


async def _metadata(asking: "Fetcher", url: str, well_known: str) -> dict[str, Any]:
    """Read metadata: a path of the address comes behind the known one (RFC 8414, 3.1)."""
    parts = urlsplit(url)
    try:
        return await get_json(asking, f"{parts.scheme}://{parts.netloc}{well_known}{parts.path.rstrip('/')}")
    except Refusal as refusal:
        raise Fault(f"no llum answers at {url}, or one that is too old", _ADDRESS_HINT) from refusal
