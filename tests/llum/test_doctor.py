"""`llum doctor` finds what operators get wrong most often: each mistake is made here, with a nats-server of its own."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.kv import Bucket
from bus.private_files import tighten
from bus.subjects import REJECTED_STREAM, WORKER_BUCKET, command_subject
from bus.workers import WorkerWord
from llum.cli.commands.doctor import _of_finding
from llum.processes.running import ENTRIES
from llum.settings import Settings
from llum.status.doctor import Diagnosis, examine
from llum.status.findings import FAULTS, MISTAKES, found
from llum.status.mistakes.here import few_descriptors
from tests.nats_server import installed_server, running_server

PARTITIONS = 4
DOCS = Path(__file__).parent.parent.parent / "docs" / "how-to" / "find-mistakes.md"


class Stage:
    """A nats-server with llum on it, and the settings of an operator."""

    def __init__(self, server: EmbeddedServer, bus: Bus, settings: Settings) -> None:
        self.server = server
        self.bus = bus
        self.settings = settings

    async def examine(self, **changed: Any) -> Diagnosis:
        return await examine(msgspec.structs.replace(self.settings, **changed), lambda _: None)

    async def codes(self, **changed: Any) -> set[str]:
        """Give the codes of what is found with these settings."""
        return {finding.code for finding in (await self.examine(**changed)).findings}

    async def say(self, name: str, **said: Any) -> None:
        """Have a worker say a word of itself."""
        word = WorkerWord(name, "run", "a-host", 1, said.pop("version", "1"), time.time(), **said)
        await Bucket(self.bus, WORKER_BUCKET).put(name, msgspec.json.encode(word))


def settings_of(folder: Path, server: EmbeddedServer) -> Settings:
    return Settings(data_dir=folder, nats_url=server.url, partitions=PARTITIONS, sync="10s")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with installed_server(tmp_path, PARTITIONS) as server:
        tighten(tmp_path, ENTRIES)
        bus = await Bus.connect(server.url_as("operator"), name="test")
        yield Stage(server, bus, settings_of(tmp_path, server))
        await bus.close()


async def test_where_nobody_has_made_a_mistake_only_the_missing_worker_is_found(stage: Stage) -> None:
    """No worker runs in these tests: that is found, and nothing else."""
    assert await stage.codes() == {"not_ready", "too_few_workers"}


async def test_a_wrong_address_or_login(stage: Stage, tmp_path: Path) -> None:
    """No server there, nobody's credentials, those of another installation."""
    assert await stage.codes(nats_url="nats://127.0.0.1:1") == {"bus_away"}
    assert await stage.codes(nats_url=None) == {"bus_away"}
    async with running_server(tmp_path / "other", PARTITIONS) as other:
        assert await stage.codes(nats_url=other.url) == {"bus_refuses"}
    missing = tmp_path / "nowhere.json"
    assert await stage.codes(credentials=missing) == {"bus_refuses"}


async def test_a_server_without_llum(tmp_path: Path) -> None:
    """Its mappings are there, and nobody has installed llum."""
    async with running_server(tmp_path, PARTITIONS) as server:
        tighten(tmp_path, ENTRIES)
        diagnosis = await examine(settings_of(tmp_path, server), lambda _: None)
    assert {finding.code for finding in diagnosis.findings} == {"not_installed"}


async def test_another_number_of_partitions(stage: Stage) -> None:
    """In the settings, and in the mappings of nats-server."""
    assert "wrong_partitions" in await stage.codes(partitions=2 * PARTITIONS)
    await stage.server.stop()
    other = EmbeddedServer(stage.settings.data_dir, 0, 2 * PARTITIONS, sync_interval="10s")
    async with running_server(stage.settings.data_dir, server=other):
        assert "wrong_partitions" in await stage.codes(nats_url=other.url)


async def test_a_stream_that_was_changed(stage: Stage) -> None:
    """What an operator may change is none of it."""
    jetstream = JetStream(stage.bus)
    config = (await jetstream.call(f"STREAM.INFO.{REJECTED_STREAM}"))["config"]
    await jetstream.call(f"STREAM.UPDATE.{REJECTED_STREAM}", {**config, "description": "ours"})
    assert "stream_changed" not in await stage.codes()
    await jetstream.call(f"STREAM.UPDATE.{REJECTED_STREAM}", {**config, "max_age": 3600 * 10**9})
    diagnosis = await stage.examine()
    (finding,) = (one for one in diagnosis.findings if one.code == "stream_changed")
    assert REJECTED_STREAM in finding.what
    assert "nats stream edit" in finding.advice


async def test_limits_and_syncs_of_the_server(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that may store a few kB, and one that syncs later than the settings say."""
    assert "sync_late" in await stage.codes(sync="always")
    for number in range(50):
        await stage.bus.publish(command_subject(f"person{number}", "app", "tell"), b"x" * 1000)
    await stage.bus.flush()
    await stage.server.stop()
    monkeypatch.setattr(EmbeddedServer, "_disk_bytes", lambda _: 50_000)
    async with running_server(stage.settings.data_dir, server=stage.server) as server:
        assert "store_full" in await stage.codes(nats_url=server.url)


async def test_clocks_that_differ(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is a minute ahead, or behind."""
    for seconds, which in ((60.0, "ahead of"), (-60.0, "behind")):
        monkeypatch.setattr("llum.status.mistakes.on_the_bus.time", _Shifted(seconds))
        diagnosis = await stage.examine()
        (finding,) = (one for one in diagnosis.findings if one.code == "clock_off")
        assert which in finding.what


class _Shifted:
    """The module `time`, with another clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds


async def test_mistakes_on_this_machine(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that others can read, metrics that everybody can, a disk that is nearly full."""
    credentials = stage.settings.data_dir / "credentials.json"
    credentials.chmod(0o644)
    diagnosis = await stage.examine(metrics_port=9470, metrics_host="0.0.0.0")
    by_code = {finding.code: finding for finding in diagnosis.findings}
    assert by_code["files_open"].advice == f"run `chmod -R go-rwx {credentials}`"
    assert "9470" in by_code["metrics_open"].what
    assert "disk_full" not in by_code
    monkeypatch.setattr("llum.status.mistakes.here.LEAST_FREE", 1.0)
    monkeypatch.setattr("llum.status.mistakes.here.LEAST_FREE_BYTES", 10**18)
    assert "disk_full" in await stage.codes()


@pytest.mark.parametrize(("limit", "is_found"), [(100, True), (4096, False)])
def test_a_process_that_may_open_few_files(limit: int, is_found: bool) -> None:
    """What it may need depends on partitions."""
    program = f"import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit})); print(); "
    arguments = [sys.executable, "-c", f"{program} sys.stdout.flush(); sys.stdin.read()"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        findings = list(few_descriptors("worker", process.pid, 64))
        process.kill()
    assert [finding.code for finding in findings] == ["few_descriptors"] * is_found
    assert list(few_descriptors("worker", process.pid, 64)) == [], "it has ended"


async def test_mistakes_among_workers(stage: Stage) -> None:
    """One was drained and forgotten, two of three replicas are wanted, one is of an older llum."""
    await stage.say("one", replicas=2)
    await stage.say("two", replicas=2)
    assert not {"left_drained", "too_few_workers", "versions_differ"} & await stage.codes()
    await stage.say("two", replicas=2, draining=True, version="0.9")
    diagnosis = await stage.examine()
    by_code = {finding.code: finding for finding in diagnosis.findings}
    assert {"left_drained", "too_few_workers", "versions_differ"} <= by_code.keys()
    assert "`llum admin drain two --undo`" in by_code["left_drained"].advice


async def test_a_snapshot_that_was_never_made(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are there, and more than twice as much time has gone as until a snapshot is due."""
    await JetStream(stage.bus).publish(command_subject("alice", "app", "tell"), b"{}")
    assert "snapshot_old" not in await stage.codes()
    monkeypatch.setattr("llum.status.mistakes.workers.time", _Shifted(49 * 3600.0))
    assert "snapshot_old" in await stage.codes()
    assert "snapshot_old" not in await stage.codes(snapshot_hours=100.0)


@pytest.mark.parametrize("width", [40, 80])
def test_findings_fit_the_terminal(width: int) -> None:
    """Each has what is wrong, and below it what to do; nothing is cut."""
    finding = found(
        "disk_full", "9.1 of 250.0 GB of the disk are free", "make room, or move the data folder to a larger disk"
    )
    lines = list(_of_finding(finding, width))
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == f"FOUND: {finding.what} fix: {finding.advice}"


def test_each_code_is_explained() -> None:
    """The page says of each what it means, and nothing of others."""
    text = DOCS.read_text("utf-8")
    for code in (*MISTAKES, *FAULTS):
        assert f"| `{code}` |" in text, code
    with pytest.raises(AssertionError):
        found("unknown", "what", "advice")
