"""A browser, as far as cookies and forms go: it keeps what it is given, and says where a request comes from."""

import re
from http.cookies import Morsel, SimpleCookie
from typing import Any

from aiohttp import ClientResponse

from tests.edge_http.conftest import Edge

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


class Browser:
    """Its cookies are kept by name, whatever they say of TLS: the server of the tests has none."""

    def __init__(self, edge: Edge, origin: str = "http://llum.example") -> None:
        self._edge = edge
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.last_set: dict[str, Morsel[str]] = {}
        """What the last response has set, with attributes."""

    async def get(self, path: str, accept: str = HTML, **headers: str) -> ClientResponse:
        return await self._send("GET", path, {"Accept": accept, **headers})

    async def post(self, path: str, *, accept: str = HTML, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        """Post `data` (a form) or `json`, as a page of llum does it."""
        return await self._send("POST", path, {"Accept": accept, "Origin": self.origin, **(headers or {})}, **sent)

    async def token(self) -> str:
        """Give the CSRF token that `/me` tells a program of this session."""
        return str((await (await self.get("/me", "application/json")).json())["csrf_token"])

    async def _send(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> ClientResponse:
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = await self._edge.http.request(method, path, headers=headers, allow_redirects=False, **sent)
        self._take(response.headers.getall("Set-Cookie", []))
        return response

    def _take(self, headers: list[str]) -> None:
        self.last_set = {}
        for header in headers:
            for name, morsel in SimpleCookie(header).items():
                self.last_set[name] = morsel
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]


def token_in(page: str) -> str:
    """Give the CSRF token of the first form of a page."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
    assert found, "the page has a form with a token"
    return found[1]
