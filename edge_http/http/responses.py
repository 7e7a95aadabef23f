"""JSON responses, each with the security headers."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

JSON_HEADERS: Final = CIMultiDict(
    {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Server": "llum",
    }
)


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Make a response from encoded JSON."""
    response = web.Response(body=body, status=status, headers=JSON_HEADERS)
    if headers:
        response.headers.update(headers)
    return response
