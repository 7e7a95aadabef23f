"""An edge on a real nats-server with a worker, a person with apps, and clients that speak to the endpoints."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from aiohttp import ClientResponse, DummyCookieJar, encode_basic_auth
from aiohttp.test_utils import TestClient
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from edge_http.app import make_app
from identity.authenticator import Authenticator
from identity.oauth.clients import ClientKind, OAuthClient
from identity.registrations import access
from tests.actors.serving import Llum, serving
from tests.edge_http.conftest import EdgeServer

PUBLIC_URL: Final = "https://llum.example"
REDIRECT: Final = "https://fitbit.example/cb"
RESOURCE: Final = "https://rs.example"
VERIFIER: Final = "v" * 43
ORIGIN: Final = "https://fitbit.example"


class Answered(NamedTuple):
    """An answer of an endpoint."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def error(self) -> str:
        return str(self.body.get("error"))


class Town:
    """A running edge, alice with her apps, and what the clients do."""

    def __init__(self, llum: Llum, **settings: Any) -> None:
        self.llum = llum
        self.authenticator = Authenticator(llum.bus, llum.requests)
        self.app = make_app(llum.bus, llum.requests, self.authenticator, PUBLIC_URL, 4, **settings)
        self.http = TestClient(EdgeServer(self.app), cookie_jar=DummyCookieJar())
        self.secrets: dict[str, str] = {}

    async def settle(self) -> None:
        """Make alice, a public client, confidential ones, and a resource server."""
        await self.llum.make_person("alice", "steps")
        for client_id in ("fitbit", "server", "old", "old_public"):
            await self.llum.grant("alice", client_id)
        await self.add("fitbit", "public", origins=[ORIGIN], redirect_uris=[REDIRECT])
        await self.add("server", "confidential", redirect_uris=[REDIRECT])
        await self.add("old", "confidential", legacy=True, redirect_uris=[REDIRECT])
        await self.add("rs", "confidential", audience=RESOURCE)
        await self.add("other_rs", "confidential", audience="https://other.example")

    async def add(self, client_id: str, kind: ClientKind, **more: Any) -> None:
        clients = self.authenticator.clients
        await clients.add(OAuthClient(id=client_id, name=client_id, kind=kind, **more))
        if kind == "confidential":
            self.secrets[client_id] = await clients.new_secret(client_id)

    async def registration(self, client_id: str = "fitbit", user: str = "alice") -> int:
        return (await access(self.llum.requests, user, client_id)).registration

    async def code(self, client_id: str = "fitbit", challenge: str | None = None, **more: Any) -> str:
        """Have alice let a client in, and give the code that it gets."""
        if challenge is None:
            challenge = create_s256_code_challenge(VERIFIER)
        registration = await self.registration(client_id)
        oauth = self.authenticator.oauth
        return await oauth.issue_code(
            client_id, "alice", registration, more.pop("redirect_uri", REDIRECT), challenge, **more
        )

    async def post(self, path: str, form: Any, **more: Any) -> Answered:
        response = await self.http.post(path, data=form, **more)
        return Answered(response.status, await _json(response), response.headers)

    async def token(self, **form: str) -> Answered:
        """Post to the token endpoint."""
        return await self.post("/token", form)

    async def redeem(self, code: str, client_id: str = "fitbit", **more: str) -> Answered:
        """Redeem a code as its client does."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": client_id}
        form |= {"code_verifier": VERIFIER, **more}
        if client_id in self.secrets:
            form.setdefault("client_secret", self.secrets[client_id])
        return await self.token(**{name: value for name, value in form.items() if value})

    async def signed_in(self, client_id: str = "fitbit", **more: Any) -> dict[str, Any]:
        """Give the tokens of a client that alice has just let in."""
        answered = await self.redeem(await self.code(client_id, **more), client_id)
        assert answered.status == 200, answered
        return answered.body

    async def refresh(self, token: str, client_id: str = "fitbit", **more: str) -> Answered:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id, **more}
        if client_id in self.secrets:
            form["client_secret"] = self.secrets[client_id]
        return await self.token(**form)

    async def introspect(self, token: str, client_id: str = "rs", **more: str) -> Answered:
        return await self.post("/introspect", {"token": token, **more}, headers=self.basic(client_id))

    def basic(self, client_id: str) -> dict[str, str]:
        """Give the header by which a client shows its secret."""
        return {"Authorization": encode_basic_auth(client_id, self.secrets[client_id])}

    async def me(self, token: str) -> int:
        """Ask with a token, and give the status."""
        return (await self.http.get("/me", headers={"Authorization": f"Bearer {token}"})).status


async def _json(response: ClientResponse) -> dict[str, Any]:
    body: dict[str, Any] = await response.json()
    return body


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as llum:
        yield llum


@pytest.fixture
async def town_with_passwords(llum: Llum) -> AsyncIterator[Town]:
    """One whose operator lets old clients take passwords."""
    town = Town(llum, password_grant=True)
    async with town.http:
        await town.settle()
        yield town


@pytest.fixture
async def town(llum: Llum) -> AsyncIterator[Town]:
    town = Town(llum)
    async with town.http:
        await town.settle()
        yield town
