"""What log-llum sees of a llum: an authorization server and a model, with a grant that a test can change."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer

PLACE = ["Apps", "Logging"]


class FakeLlum:
    """One person, `alice`. Access tokens are numbered; `good` is the one that counts."""

    def __init__(self) -> None:
        self.granted = {"ask", "tell", "make"}
        self.is_revoked = False
        self.is_made = False
        self.pieces: dict[int, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.asked_for: list[dict[str, Any]] = []
        self.revoked: list[str] = []
        self.keys: list[str] = []
        self.failures_to_come = 0
        self._challenge = ""
        self._good = 0
        self.server = TestServer(self._app())

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def agree(self, authorization_url: str) -> dict[str, str]:
        """Be the person who says yes; give what the browser is sent back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        self._challenge = query["code_challenge"]
        self.asked_for = json.loads(query["authorization_details"])
        return {"code": "the-code", "state": query["state"], "iss": self.url}

    def expire(self) -> None:
        """Let the access token be good no more; the refresh token is."""
        self._good += 1

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/oauth-authorization-server", self._metadata)
        app.router.add_post("/token", self._token)
        app.router.add_post("/revoke", self._revoke)
        app.router.add_get("/me", self._me)
        app.router.add_post("/{operation}", self._operation)
        return app

    async def _metadata(self, _request: web.Request) -> web.Response:
        endpoints = {"authorization": "authorize", "token": "token", "revocation": "revoke"}
        named = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in endpoints.items()}
        return web.json_response({"issuer": self.url, **named})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self.is_revoked:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self._challenge
        self._good += 1
        details = [{"type": "llum_model", "paths": ["Apps/Logging"], "actions": sorted(self.granted)}]
        tokens = {"access_token": f"a{self._good}", "refresh_token": f"r{self._good}", "token_type": "Bearer"}
        return web.json_response({**tokens, "expires_in": 3600, "authorization_details": details})

    async def _revoke(self, request: web.Request) -> web.Response:
        self.revoked.append(str((await request.post())["token"]))
        return web.Response()

    async def _me(self, request: web.Request) -> web.Response:
        return self._unknown(request) or web.json_response({"user": "alice"})

    def _unknown(self, request: web.Request) -> web.Response | None:
        good = not self.is_revoked and request.headers.get("Authorization") == f"Bearer a{self._good}"
        return None if good else web.json_response({"error": {"code": "not_authenticated"}}, status=401)

    async def _operation(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if self.failures_to_come:
            self.failures_to_come -= 1
            return web.json_response({"error": {"code": "unavailable"}}, status=503)
        if (unknown := self._unknown(request)) is not None:
            return unknown
        operation, body = request.match_info["operation"], await request.json()
        self.calls.append(operation)
        verb = {"mkcontext": "make", "mkcomponent": "make", "withdraw": "tell"}.get(operation, operation)
        if verb not in self.granted:
            missing = {"type": "llum_model", "paths": ["Apps/Logging"], "actions": [verb]}
            return web.json_response({"error": {"code": "permission_denied", "missing": missing}}, status=403)
        return getattr(self, f"_{operation}")(body)

    def _mkcontext(self, body: dict[str, Any]) -> web.Response:
        assert [*body["context"], body["contextobj"]["Identifier"]] == PLACE
        return web.json_response({"result": "ok", "val": True})

    def _mkcomponent(self, body: dict[str, Any]) -> web.Response:
        self.is_made = True
        return web.json_response({"result": "ok", "val": None})

    def _tell(self, body: dict[str, Any]) -> web.Response:
        if not self.is_made:
            return web.json_response({"result": "error", "error": {"code": "no_such_context", "message": "none"}})
        seq = 10 + len(self.pieces)
        self.pieces[seq] = body["evidence"]
        return web.json_response({"result": "ok", "val": None, "seq": seq, "settled": True})

    def _withdraw(self, body: dict[str, Any]) -> web.Response:
        del self.pieces[body["seq"]]
        return web.json_response({"result": "ok", "val": None})

    def _ask(self, body: dict[str, Any]) -> web.Response:
        assert body["view"] == ["logged_items"]
        pieces = list(self.pieces.values())
        answer = {"Identifier": "logged_items", "value": None, "evidencelist": pieces}
        return web.json_response({"result": "ok", "val": [answer] if self.is_made else []})
