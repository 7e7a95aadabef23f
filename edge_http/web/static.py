"""Own static files. The hash of its content is in the name of each: browsers keep it for a year, and see changes.

What pages of others use has a name that stays: browsers keep it for an hour.
"""

import functools
import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from edge_http.web.headers import strict_headers

STATIC: Final = "/static/"

_FOLDER: Final = Path(__file__).with_name("static")
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FOR_AN_HOUR: Final = "public, max-age=3600"
_FOR_OTHERS: Final = frozenset({"llum-preferences.js"})
_HASH_CHARACTERS: Final = 12


class _File(NamedTuple):
    hashed: str
    """The name with the hash in it."""
    content: bytes
    content_type: str


@functools.cache
def _files() -> dict[str, _File]:
    """Read the files, by their names in the folder. They are few and small, and read when a page first wants one."""
    return {path.name: _read(path) for path in _FOLDER.iterdir() if path.suffix in _TYPES}


def _read(path: Path) -> _File:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_HASH_CHARACTERS]
    return _File(f"{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])


def static_url(name: str) -> str:
    """Give the address of a file, for a template. Raises `KeyError`: there is no such file."""
    return STATIC + _files()[name].hashed


def add_static(app: web.Application) -> None:
    """Serve the files."""
    app.router.add_get(f"{STATIC}{{name}}", _serve)


async def _serve(request: web.Request) -> web.Response:
    stem, _, rest = request.match_info["name"].partition(".")
    found = _files().get(f"{stem}.{rest.rpartition('.')[2]}")
    if found is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": found.content_type, "Cache-Control": _kept(request.match_info["name"], found)}
    return web.Response(body=found.content, headers=headers | strict_headers(request[TRACE].edge[PUBLIC_URL]))


def _kept(asked: str, found: _File) -> str:
    """Say how long a browser keeps what it gets for a name."""
    if asked in _FOR_OTHERS:
        return _FOR_AN_HOUR
    # While edges of two versions run, one is asked for the other's file: it gives its own, to be kept by nobody.
    return _FOR_EVER if found.hashed == asked else "no-store"
