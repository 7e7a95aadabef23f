"""A small issuer that answers as a test wants it to: rightly, unless something is changed."""

import asyncio
import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from identity.issuers.configured import Issuer

KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "second", "use": "sig"})
CLIENT_ID = "llum-there"
SECRET = "a secret of llum + / &"
SUB = "person-1"
NONCE = "n" * 43
ACCESS_TOKEN = "access-token-1"


class HostileIssuer:
    """Its members are what it answers. Changed by a test, they are the attack."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.metadata: dict[str, Any] = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
            "userinfo_endpoint": f"{url}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.keys: list[Any] = [KEY.as_dict(private=False)]
        self.key: Any = KEY
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "first"}
        now = int(time.time())
        self.claims: dict[str, Any] = {
            "iss": url,
            "sub": SUB,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": NONCE,
            "at_hash": at_hash(ACCESS_TOKEN),
        }
        self.id_token: str | None = None
        self.tokens: dict[str, Any] = {"access_token": ACCESS_TOKEN, "token_type": "Bearer"}
        self.userinfo: Any = {"sub": SUB, "given_name": "Ada", "family_name": "Lovelace", "email": "ada@there.example"}
        self.answers: dict[str, web.StreamResponse] = {}
        """By path, what is answered instead."""
        self.sends_back: dict[str, str] = {}
        """Members of the answer that a browser brings."""
        self.sent: list[dict[str, str]] = []
        """With what people were sent here."""
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.authorizations: list[str | None] = []
        self.silent = asyncio.Event()
        """Set: it takes requests, and answers none until `goes_on` is set."""
        self.goes_on = asyncio.Event()

    def as_configured(self, **more: Any) -> Issuer:
        members = {"id": "there", "name": "There", "client_id": CLIENT_ID, "client_secret": SECRET}
        return Issuer(**{**members, "issuer": self.url, **more})

    def speak_of(self, sub: str) -> None:
        """Let it be another person who comes."""
        self.claims["sub"] = self.userinfo["sub"] = sub

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.silent.is_set():
            await self.goes_on.wait()
        if request.path in self.answers:
            return self.answers[request.path]
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(self.metadata)
            case "/authorize":
                return self._sent_back(request.query)
            case "/keys":
                return web.json_response({"keys": self.keys})
            case "/token":
                self.forms.append({name: str(value) for name, value in (await request.post()).items()})
                self.authorizations.append(request.headers.get("Authorization"))
                return web.json_response({"id_token": self.signed(), **self.tokens})
            case "/userinfo":
                self.authorizations.append(request.headers.get("Authorization"))
                return web.json_response(self.userinfo)
            case _:
                return web.Response(status=404)

    def _sent_back(self, query: Mapping[str, str]) -> web.StreamResponse:
        """Let whoever comes in at once, as an issuer does that remembers them."""
        self.sent.append(dict(query))
        self.claims["nonce"] = query["nonce"]
        answer = {"code": "code-1", "state": query["state"], "iss": self.url, **self.sends_back}
        return web.Response(status=302, headers={"Location": f"{query['redirect_uri']}?{urlencode(answer)}"})

    def signed(self) -> str:
        if self.id_token is not None:
            return self.id_token
        return jwt.encode(self.header, self.claims, self.key, algorithms=[self.header["alg"]])


def at_hash(access_token: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).decode().rstrip("=")


@asynccontextmanager
async def hostile_issuer() -> AsyncIterator[HostileIssuer]:
    """Serve one on any free port of this machine."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await issuer.handle(request)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    issuer = HostileIssuer(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield issuer
    finally:
        issuer.goes_on.set()
        await runner.cleanup()
