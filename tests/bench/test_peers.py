"""The endpoints that llum is measured against do what they are written for, on a PostgreSQL of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import pytest

from bench.accounting import POSTGRES, named, tree
from bench.failures import NotMeasurableError
from bench.peers import cluster as clusters
from bench.peers import plain
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


async def test_the_latest_value_is_found_by_its_index_however_much_was_told() -> None:
    """An ask that read past what was told about others would be slow, and llum look well beside a careless peer."""
    async with cluster() as running:
        connection = await asyncpg.connect(running.dsn)
        try:
            await connection.execute(plain.SCHEMA)
            for component, rows in (("asked", 1), ("told", 20_000)):
                insert = f"INSERT INTO evidence (person, component, value) SELECT 'a', '{component}', 'x'"
                await connection.execute(f"{insert} FROM generate_series(1, {rows})")
            await connection.execute("ANALYZE")
            query = plain.ASK.replace("$1", "'a'").replace("$2", "'asked'")
            steps = [row[0] for row in await connection.fetch(f"EXPLAIN {query}")]
        finally:
            await connection.close()
    assert any("Index Cond: ((person" in step for step in steps), steps
    assert not any("Filter" in step for step in steps), steps


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
    """Its processes and its folder are gone with the block; it does not run as root."""
    async with cluster() as running:
        pids = named(tree(running.pid), POSTGRES)
        assert running.pid in pids
        assert psutil.Process(running.pid).uids().effective != 0
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
