"""A disk that is full: nothing that was acknowledged is lost, /ready says why, and it goes on once there is room."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_disk import fill, small_disk
from tests.system.harness import Llum, until


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[Llum]:
    """A running llum on a disk of its own, which is small."""
    with small_disk(tmp_path / "disk", 128) as disk:
        llum = Llum(disk)
        try:
            llum.start()
            yield llum
        finally:
            llum.clean_up()


def ready(llum: Llum) -> tuple[int, Any]:
    """Give status and body of /ready; 0 while nobody answers there."""
    try:
        with urllib.request.urlopen(f"{llum.http}/ready") as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError:
        return 0, {}


def names(llum: Llum) -> list[Any]:
    reply = json.loads(llum.run("ask", "alice", "Personal", "--evidence", "--json"))
    (found,) = (one for one in reply["components"] if one["path"][-1] == "firstname")
    return [piece["value"] for piece in found["evidence"]]


def test_a_full_disk_is_told_and_survived(cramped: Llum) -> None:
    """The log takes nothing, so no tell is acknowledged; with room again llum goes on, without a restart."""
    llum = cramped
    llum.run("admin", "person", "add", "alice", "--first-name", "before")
    assert until(lambda: ready(llum)[0] == 200, "llum is ready")
    filler = fill(llum.folder, 0)
    told = [llum.command("tell", "alice", "Personal/firstname", json.dumps(f"full {n}")) for n in range(2)]
    until(lambda: "paused_partitions" in ready(llum)[1], "/ready says that nothing is applied")
    filler.unlink()
    until(lambda: ready(llum)[0] == 200, "llum is ready again")
    llum.run("tell", "alice", "Personal/firstname", '"after"')
    acknowledged = [f"full {n}" for n, one in enumerate(told) if one.returncode == 0]
    assert [name for name in names(llum) if name in ("before", "after", *acknowledged)] == [
        "before",
        *acknowledged,
        "after",
    ]
    assert json.loads(llum.run("status", "--json"))["shards"]["aside"] == []
