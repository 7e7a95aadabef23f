"""An edge on a real nats-server with a worker, alice who has an account and a model, and an app that asks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.actors.serving import serving
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.consent.asking import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with serving(tmp_path) as llum:
        site = Site(llum, temporary_users=True)
        async with site.http:
            scene = Scene(site)
            await scene.begin()
            yield scene
