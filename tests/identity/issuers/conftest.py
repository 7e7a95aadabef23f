"""An issuer that answers as a test wants it to, and llum as its relying party."""

from collections.abc import AsyncIterator

import pytest

from identity.issuers.fetching import Fetcher
from identity.issuers.relying_party import RelyingParty
from tests.identity.issuers.hostile import HostileIssuer, hostile_issuer


@pytest.fixture
async def issuer() -> AsyncIterator[HostileIssuer]:
    async with hostile_issuer() as issuer:
        yield issuer


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher()
    yield fetcher
    await fetcher.close()


@pytest.fixture
def party(issuer: HostileIssuer, fetcher: Fetcher) -> RelyingParty:
    return RelyingParty(issuer.as_configured(), fetcher, "https://llum.example/signed-in/there")
