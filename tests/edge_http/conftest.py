"""The edge over a fake bus, behind a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from edge_http.app import make_app
from edge_http.http.runner import EdgeRunner
from edge_http.keys import TURNS
from tests.edge_http.fakes import FakeAuthenticator, FakeBus, FakeRequests
from tests.edge_http.personis_client import PersonisClient
from tests.throttles import _no_attempt_comes_back as _no_attempt_comes_back

PARTITIONS = 4


class EdgeServer(TestServer):
    """Serves as the edge does."""

    async def _make_runner(self, **more: Any) -> EdgeRunner:
        return EdgeRunner(self.app, **more)


class Edge:
    """A running edge, and what stands behind it."""

    def __init__(self, public_url: str = "http://llum.example", **more: Any) -> None:
        self.bus = FakeBus(PARTITIONS)
        self.requests = FakeRequests()
        self.authenticator = FakeAuthenticator()
        self.passwords = self.authenticator.passwords
        app = make_app(
            self.bus,  # type: ignore[arg-type]
            self.requests,  # type: ignore[arg-type]
            self.authenticator,  # type: ignore[arg-type]
            public_url,
            PARTITIONS,
            **more,
        )
        self.app = app
        self.http = TestClient(EdgeServer(app), cookie_jar=DummyCookieJar())

    @property
    def taken(self) -> int:
        """Count the commands that are under way, those that wait at the edge included."""
        return sum(self.app[TURNS]._counts.values())

    async def post(self, op: str, body: Any = None, *, token: str | None = "good", **more: Any) -> ClientResponse:
        """Post to an operation: JSON of `body` with a version, or bytes as they are."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        headers |= more.pop("headers", {})
        sent = {"data": body} if isinstance(body, bytes) else {"json": {"version": "11.2", **(body or {})}}
        return await self.http.post(f"/{op}", headers=headers, **sent, **more)

    async def call(self, op: str, body: Any = None, **more: Any) -> Any:
        """Post to an operation and give the decoded answer."""
        return await (await self.post(op, body, **more)).json()

    def original_client(self, token: str = "good", **more: Any) -> PersonisClient:
        return PersonisClient(str(self.http.make_url("/")), token, **more)


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    edge = Edge()
    async with edge.http:
        yield edge
