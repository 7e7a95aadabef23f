"""Pages: a template, what it shows, and the strict headers."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from edge_http.web import moments
from edge_http.web.headers import is_about_signing_in, page_headers
from edge_http.web.static import static_url

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_TEMPLATES: Final = Path(__file__).with_name("templates")


class Visitor(NamedTuple):
    """Who looks at a page, for its header."""

    user: str
    temporary: bool = False


VISITOR_OF: Final[web.AppKey[Callable[[web.Request], Visitor | None]]] = web.AppKey("visitor_of")
CSRF_TOKEN_OF: Final[web.AppKey[Callable[[web.Request], str]]] = web.AppKey("csrf_token_of")
"""Gives the token that each form of the kit carries."""


def page(request: web.Request, name: str, status: int = 200, leads_to: str = "", **values: Any) -> web.Response:
    """Render a template of `templates/`. A name that it uses and nobody gives is an error.

    Beside `values` a template finds `visitor` (None: nobody is signed in), `path`, `csrf_token()` and `static_url()`.
    `leads_to` is another origin, or a scheme with a colon, to which its forms may lead on.
    """
    edge = request[TRACE].edge
    given = {
        "visitor": edge[VISITOR_OF](request),
        "path": request.path,
        "csrf_token": functools.partial(edge[CSRF_TOKEN_OF], request),
    }
    headers = page_headers(edge[PUBLIC_URL], tells_no_one=is_about_signing_in(request.path), leads_to=leads_to)
    text = _environment().get_template(name).render(given, **values)
    return web.Response(body=text.encode(), status=status, headers=headers)


def in_words(text: str) -> "Markup":
    """Escape a text of ours, such as an error, and set what stands in it between backticks as code."""
    from markupsafe import Markup, escape

    parts = [Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in _parts(text)]
    return Markup("").join(parts)


def _parts(text: str) -> list[tuple[int, str]]:
    """Cut a text at its backticks; one without a partner stays as it is."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        pieces[-2:] = ["`".join(pieces[-2:])]
    return list(enumerate(pieces))


@functools.cache
def _environment() -> "Environment":
    # An edge that serves programs only never needs it, and it takes a tenth of a second.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static_url"] = static_url
    environment.filters["words"] = in_words
    environment.filters["moment"] = moments.moment
    environment.filters["iso"] = moments.iso
    return environment
