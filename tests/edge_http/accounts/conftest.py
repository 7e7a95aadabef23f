"""An edge on a real nats-server with a worker, and browsers that walk through its pages."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from edge_http.accounts.reception import RECEPTION, Reception
from edge_http.app import make_app
from identity.authenticator import Authenticator
from tests.actors.serving import Llum, serving
from tests.edge_http.accounts.walking import Walker
from tests.edge_http.conftest import EdgeServer

PUBLIC_URL = "https://llum.example"


class Site:
    """A running edge, and what stands behind it."""

    def __init__(self, llum: Llum, **settings: Any) -> None:
        self.llum = llum
        self.authenticator = Authenticator(llum.bus, llum.requests)
        self.app = make_app(llum.bus, llum.requests, self.authenticator, PUBLIC_URL, 4, **settings)
        self.http = TestClient(EdgeServer(self.app))

    @property
    def reception(self) -> Reception:
        return self.app[RECEPTION]

    def browser(self) -> Walker:
        return Walker(self, PUBLIC_URL)  # type: ignore[arg-type]


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as llum:
        yield llum


@pytest.fixture
async def site(llum: Llum) -> AsyncIterator[Site]:
    site = Site(llum)
    async with site.http:
        yield site


@pytest.fixture
def make_site(llum: Llum) -> Callable[..., Site]:
    return lambda **settings: Site(llum, **settings)
