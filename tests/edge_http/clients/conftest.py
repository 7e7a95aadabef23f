"""An edge on a real nats-server, and the browser of its administrator."""

from collections.abc import Awaitable, Callable

import pytest

from identity.oauth.clients import Clients
from tests.edge_http.accounts.conftest import Site, llum, make_site, site
from tests.edge_http.accounts.walking import Walker

__all__ = ["llum", "make_site", "site"]


@pytest.fixture
def clients(site: Site) -> Clients:
    return site.authenticator.clients


@pytest.fixture
async def admin(site: Site) -> Walker:
    """Give the browser of alice, who is administrator and has just signed up."""
    alice = site.browser()
    await alice.sign_up("alice", await site.reception.links.make("first"))
    return alice


@pytest.fixture
def person(site: Site) -> Callable[[str], Awaitable[Walker]]:
    """Give a function that signs up somebody who is no administrator."""

    async def sign_up(user: str) -> Walker:
        browser = site.browser()
        await browser.sign_up(user)
        return browser

    return sign_up
