"""Pages and redirects, with the headers that each has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from log_llum.things import LABELS, NEEDED_FOR

HERE: Final = Path(__file__).parent

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals |= {"labels": LABELS, "needed_for": NEEDED_FOR}


def page(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any) -> web.Response:
    """Give a page."""
    text = _TEMPLATES.get_template(template).render(shown)
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS | dict(headers or {})
    )


def redirect(to: str) -> web.Response:
    """Send the browser on, by GET."""
    return web.Response(status=303, headers=HEADERS | {"Location": to})
