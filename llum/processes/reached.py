"""How the outside reaches an edge: by which address, over TLS or not."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from edge_http.http.tls import Certificate
    from edge_http.preferences.face import Openness


def tls_files(settings: Settings) -> tuple[Path, Path] | None:
    """Give the files of the certificate and of its key; None: the edge speaks without TLS. Raises a `Fault`."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing, there = ("tls_key", "tls_certificate") if key is None else ("tls_certificate", "tls_key")
        raise Fault(f"{there} is set, but {missing} is not", "Set both, or neither.")
    return certificate, key


def certificate_of(settings: Settings) -> "Certificate | None":
    """Read the certificate, if there is to be TLS. Raises a `Fault`, `SetupError`."""
    files = tls_files(settings)
    if files is None:
        return None
    from edge_http.http.tls import Certificate

    return Certificate(*files)


def checked_public_url(settings: Settings, listens_at: str) -> str:
    """Give the address at which people reach the edge. Raises a `Fault` for one that sends passwords over a network in
    clear.
    """
    url = settings.public_url or listens_at
    if settings.public_url is None or url.startswith("https://") or is_of_this_machine(url):
        return url
    raise Fault(
        f"public_url is {url}: passwords and cookies would go over the network for everybody to read",
        "Name an address with https: set tls_certificate and tls_key, or put a proxy that speaks TLS in front.",
    )


def is_of_this_machine(url: str) -> bool:
    """Tell whether an address leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def openness_of(settings: Settings) -> "Openness":
    """Say for whom /preferences answers without a token. Raises a `Fault` where other machines could use that."""
    if not settings.preferences_open:
        return "closed"
    if settings.preferences_open_anywhere:
        return "anywhere"
    beyond = _reached_beyond(settings)
    if beyond is None:
        return "here"
    raise Fault(
        f"preferences_open is set and {beyond}: whoever reaches llum could read and change the preferences of all keys",
        "Leave http_host at 127.0.0.1, or set preferences_open_anywhere too if you trust everybody on that network.",
    )


def _reached_beyond(settings: Settings) -> str | None:
    """Say by which setting other machines reach the edge; None: only this one does."""
    if not is_of_this_machine(f"http://{_in_url(settings.http_host)}"):
        return f"http_host is {settings.http_host}"
    if settings.public_url is not None and not is_of_this_machine(settings.public_url):
        return f"public_url is {settings.public_url}"
    return "proxies is set" if settings.proxies.strip() else None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
