"""The endpoints that llum is measured against do what they are written for, on a PostgreSQL of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from bench.accounting import POSTGRES, named, tree
from bench.failures import NotMeasurableError
from bench.peers import cluster as clusters
from bench.peers.cluster import cluster, find_programs
from bench.peers.endpoints import CHECKED, PLAIN, Endpoints

TOKENS = {"alice": "token-of-alice", "bob": "token-of-bob"}
COMPONENT = "component0"
AT_FIRST = "what a sensor saw"

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _needs_postgres() -> None:
    try:
        find_programs()
    except NotMeasurableError as error:
        pytest.skip(str(error))


async def test_the_plain_endpoint_gives_the_latest_value() -> None:
    """An ask gives what was told last about that person: first what the endpoints are filled with."""
    async with _calling(PLAIN) as call:
        alice, bob = ({"person": person, "component": COMPONENT} for person in TOKENS)
        assert await call("/ask", alice) == (200, {"result": "ok", "value": AT_FIRST})
        for value in ("first", "last"):
            status, answer = await call("/tell", {**alice, "value": value})
            assert (status, answer["result"]) == (200, "ok")
        assert (await call("/ask", alice))[1]["value"] == "last"
        assert (await call("/ask", bob))[1]["value"] == AT_FIRST


async def test_the_checked_endpoint_tells_a_repeat_once() -> None:
    """The same key again gives the first answer, and changes nothing."""
    async with _calling(CHECKED) as call:
        told = await call("/tell", {"component": COMPONENT, "value": "once"}, key="one")
        assert (await call("/tell", {"component": COMPONENT, "value": "between"}, key="two"))[0] == 200
        assert await call("/tell", {"component": COMPONENT, "value": "once"}, key="one") == told
        assert (await call("/ask", {"component": COMPONENT}))[1]["value"] == "between"


async def test_the_checked_endpoint_refuses() -> None:
    """A value of another type, and whoever has no token for the person's model, are refused and leave nothing."""
    async with _calling(CHECKED) as call:
        assert (await call("/tell", {"component": COMPONENT, "value": 7}, key="one"))[0] == 422
        assert (await call("/tell", {"component": COMPONENT, "value": "x"}, key="two", token="nobody's"))[0] == 403
        assert (await call("/ask", {"component": COMPONENT}, token="nobody's"))[0] == 403
        assert (await call("/ask", {"component": COMPONENT}))[1]["value"] == AT_FIRST


async def test_the_cluster_leaves_nothing_behind() -> None:
    """Its processes and its folder are gone with the block; none of them runs as root."""
    async with cluster() as running:
        pids = tree(running.pid)
        assert named(pids, POSTGRES) == pids
        assert all(psutil.Process(pid).uids().effective != 0 for pid in pids)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not running.folder.exists()


async def test_where_there_is_no_postgres_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without PostgreSQL's programs nothing can be measured against it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(clusters, "DEBIAN_PROGRAMS", tmp_path)
    with pytest.raises(NotMeasurableError, match="apt-get install postgresql"):
        find_programs()


@asynccontextmanager
async def _calling(which: str) -> AsyncIterator[Call]:
    """Run the endpoints, and speak to one of them as alice unless another token is given."""
    async with Endpoints.opened(TOKENS) as endpoints, aiohttp.ClientSession() as session:

        async def call(path: str, body: dict[str, Any], *, key: str = "", token: str = TOKENS["alice"]) -> Any:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            async with session.post(endpoints.url(which) + path, json=body, headers=headers) as response:
                return response.status, await response.json()

        yield call
