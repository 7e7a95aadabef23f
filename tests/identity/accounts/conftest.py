"""Accounts on a real nats-server with a worker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.accounts.store import Accounts
from tests.actors.serving import Llum, serving
from tests.identity.accounts.clock import Clock
from tests.throttles import _no_attempt_comes_back as _no_attempt_comes_back


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as llum:
        yield llum


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(llum: Llum, clock: Clock) -> Accounts:
    return Accounts(llum.bus, llum.requests, clock)
