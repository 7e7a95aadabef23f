"""Several workers of one machine, as an operator starts them, shows them, and drains them."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.external import PARTITIONS, External
from tests.system.harness import until

MACHINE = os.uname().nodename


@pytest.fixture
def external(tmp_path: Path) -> Iterator[External]:
    made = External(tmp_path / "llum")
    made.start_nats(made.configured())
    made.cli("admin", "install")
    yield made
    made.clean_up()


def start(external: External, *options: str) -> "subprocess.Popen[bytes]":
    """Start workers without waiting for any."""
    command = [*external.program, "worker", *options]
    process = subprocess.Popen(command, cwd=external.folder, env=external.environment, stderr=subprocess.DEVNULL)
    external._started.append(process)
    return process


def workers(external: External) -> list[dict[str, Any]]:
    return list(json.loads(external.cli("status", "--json").stdout)["workers"])


def pids(external: External) -> set[int]:
    """Give the processes that hold folders of shards."""
    return {int(file.read_text() or 0) for file in external.data_dir.glob("**/shards/lock")}


def shares(external: External, count: int) -> list[dict[str, Any]]:
    """Wait until so many workers share the partitions, each of them served once."""

    def shared() -> list[dict[str, Any]]:
        found = workers(external)
        busy = [worker for worker in found if worker["partitions"]]
        served = sum(worker["partitions"] for worker in busy)
        return busy if (len(busy), served) == (count, PARTITIONS) else []

    return list(until(shared, f"{count} workers share the partitions"))


def test_workers_of_one_command_share_the_partitions_and_one_that_dies_comes_back(external: External) -> None:
    """Each keeps its name, which lies with its shards. SIGTERM ends all."""
    running = start(external, "--processes", "2")
    before = {worker["id"] for worker in shares(external, 2)}
    external.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    pids = [int(file.read_text()) for file in external.data_dir.glob("**/shards/lock")]
    assert len(pids) == 2
    os.kill(pids[0], signal.SIGKILL)
    until(
        lambda: len({int(f.read_text()) for f in external.data_dir.glob("**/shards/lock")} - set(pids)) == 1,
        "a new one",
    )
    assert {worker["id"] for worker in shares(external, 2)} == before
    assert "Alice" in external.cli("admin", "person", "show", "alice").stdout
    upgraded = external.cli("admin", "upgrade").stdout
    assert upgraded.count("knows levels up to 1") == upgraded.count("worker ") > 1
    assert "nothing to do: all partitions have level 1" in upgraded
    refused = external.cli("admin", "upgrade", "--to", "2", "--yes", check=False)
    assert refused.returncode == 1
    assert "this llum knows levels up to 1, not 2" in refused.stderr
    running.send_signal(signal.SIGTERM)
    assert running.wait(120) == 0
    assert workers(external) == []


def test_a_drained_worker_serves_nothing_until_that_is_undone(external: External) -> None:
    """It is named by its machine or its id; a name that nobody has is an error that lists those that are there."""
    external.start_process("worker")
    [first] = shares(external, 1)
    external.start_process("worker", "--data-dir", str(external.folder / "other"), *credentials(external))
    shares(external, 2)
    drained = json.loads(external.cli("admin", "drain", first["id"], "--json").stdout)
    assert drained == {"workers": [{"id": first["id"], "host": MACHINE, "partitions": 0}]}
    [second] = shares(external, 1)
    assert second["id"] != first["id"]
    assert f"{first['id']} on {MACHINE}, 0 partitions, draining" in external.cli("status").stdout
    external.cli("admin", "drain", first["id"], "--undo")
    shares(external, 2)

    everybody = external.cli("admin", "drain", MACHINE, "--json", "--within", "1", check=False)
    assert everybody.returncode == 1
    # In the moment between two orders one may have taken over from the other.
    assert sum(one["partitions"] for one in json.loads(everybody.stdout)["workers"]) >= PARTITIONS
    refused = external.cli("admin", "drain", "nowhere", check=False)
    assert "no worker is called nowhere, nor its machine" in refused.stderr
    assert first["id"] in refused.stderr


def test_several_workers_want_a_nats_server_of_their_own(external: External) -> None:
    """That of `llum up` is for its own."""
    environment = {name: value for name, value in external.environment.items() if name != "LLUM_NATS_URL"}
    command = [*external.program, "worker", "--processes", "2"]
    ended = subprocess.run(command, cwd=external.folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "several workers need a nats-server of their own" in ended.stderr


def credentials(external: External) -> tuple[str, str]:
    return ("--credentials", str(external.data_dir / "credentials.json"))
