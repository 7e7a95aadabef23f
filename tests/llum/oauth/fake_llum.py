"""An llum as far as programs sign in to it: what it answers is set by the test. Its refresh tokens are good once."""

import secrets
from collections import Counter
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from llum.oauth.by_code import GRANT

SLICES = [{"type": "llum_model", "paths": ["Personal"], "actions": ["ask"]}]


class FakeLlum:
    """Where it serves is `url`."""

    def __init__(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/oauth-protected-resource", self._resource)
        app.router.add_get("/.well-known/oauth-authorization-server", self._server)
        app.router.add_post("/token", self._token)
        app.router.add_post("/device_authorization", self._device)
        app.router.add_post("/revoke", self._revoke)
        app.router.add_get("/me", self._me)
        app.router.add_post("/ask", self._ask)
        self.server = TestServer(app)
        self.calls: Counter[str] = Counter()
        self.forms: list[dict[str, str]] = []
        self.lifetime_s = 3600.0
        self.interval_s = 5.0
        self.polls: list[str] = []
        """Errors that polls get, one after the other; then they get tokens."""
        self.metadata: dict[str, Any] = {}
        """Members of the metadata that are otherwise."""
        self.token_error: dict[str, str] | None = None
        self.live = ""
        """The one refresh token that is good."""
        self.access: set[str] = set()
        self.ended = False

    @property
    def url(self) -> str:
        return str(self.server.make_url("/")).rstrip("/")

    async def _resource(self, request: web.Request) -> web.Response:
        about = {"resource": self.url, "authorization_servers": [self.url], "llum_bus": "nats://127.0.0.1:1"}
        return web.json_response(about | self.metadata)

    async def _server(self, request: web.Request) -> web.Response:
        names = ("authorization", "token", "revocation", "device_authorization")
        paths = {"authorization": "/authorize", "revocation": "/revoke"}
        found = {f"{name}_endpoint": self.url + paths.get(name, f"/{name}") for name in names}
        return web.json_response({"issuer": self.url, **found} | self.metadata)

    async def _device(self, request: web.Request) -> web.Response:
        await self._note("device", request)
        return web.json_response(
            {
                "device_code": "llumd_secret",
                "user_code": "BCDF-GHJK",
                "verification_uri": f"{self.url}/device",
                "verification_uri_complete": f"{self.url}/device?user_code=BCDF-GHJK",
                "expires_in": 600,
                "interval": self.interval_s,
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = await self._note("token", request)
        if form["grant_type"] == GRANT and self.polls:
            return _error(self.polls.pop(0))
        if self.token_error is not None:
            return web.json_response(self.token_error, status=400)
        if form["grant_type"] == "refresh_token":
            if self.ended or form["refresh_token"] != self.live:
                self.ended = True
                return _error("invalid_grant")
            self.access.clear()
        self.live, access = f"llumr_{secrets.token_hex(8)}", f"llum_{secrets.token_hex(8)}"
        self.access.add(access)
        return web.json_response(
            {
                "access_token": access,
                "refresh_token": self.live,
                "token_type": "Bearer",
                "expires_in": self.lifetime_s,
                "scope": "ask:Personal",
                "authorization_details": SLICES,
            }
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        await self._note("revoke", request)
        self.ended = True
        self.access.clear()
        return web.Response()

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"user": "alice", "app": "kitchen", "expires": 0})

    async def _ask(self, request: web.Request) -> web.Response:
        self.calls["ask"] += 1
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return web.json_response({"val": [1]}, status=200 if token in self.access else 401)

    async def _note(self, name: str, request: web.Request) -> dict[str, str]:
        self.calls[name] += 1
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.forms.append(form)
        return form


def _error(error: str) -> web.Response:
    return web.json_response({"error": error, "error_description": f"it is {error}", "code": error}, status=400)
