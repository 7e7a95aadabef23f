"""The headers of what a browser shows: nothing from elsewhere, nothing inline, in nobody's frame, kept by nobody."""

import functools
from typing import Final

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "llum",
}

_HSTS: Final = "max-age=31536000"
"""A year, for this host alone: what runs beside llum below the same name is not llum's to decide about."""


_SIGNING_IN: Final = ("/sign-", "/signed-in", "/authorize", "/consent", "/allow", "/dis")
"""How the addresses of pages about signing in begin, and of those about letting apps in."""


def is_about_signing_in(path: str) -> bool:
    """Tell whether a page is one of those about signing in, or letting apps in.

    Their addresses are told to nobody, not even to llum.
    """
    return path.startswith(_SIGNING_IN)


@functools.lru_cache(maxsize=64)
def page_headers(public_url: str, *, tells_no_one: bool = False, leads_to: str = "") -> dict[str, str]:
    """Give the headers of a page. Its forms lead to llum alone: browsers follow no redirect to elsewhere from them.

    But for `leads_to`, an origin or a scheme with a colon: there a form may lead on.

    With `tells_no_one` its address is told to nobody. A browser then says `Origin: null` of its forms.
    """
    policy = _POLICY.replace("form-action 'self'", f"form-action 'self' {leads_to}") if leads_to else _POLICY
    page = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Content-Security-Policy": policy}
    silent = {"Referrer-Policy": "no-referrer"} if tells_no_one else {}
    return {**page, **strict_headers(public_url), **silent}


@functools.lru_cache(maxsize=1)
def strict_headers(public_url: str) -> dict[str, str]:
    """Give the headers of everything that a browser takes from the web face, files included."""
    behind_tls = {"Strict-Transport-Security": _HSTS} if public_url.startswith("https://") else {}
    return {**_ALWAYS, **behind_tls}
