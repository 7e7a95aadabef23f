"""A backup of a log that was cut, restored into another nats-server: it answers the same.

Method: workers in this process on real nats-servers.
"""

from pathlib import Path

import msgspec
import pytest

from bus.connection import Bus
from bus.erasures import record
from bus.forgotten import Forgotten, merged, names_of
from bus.requests import Requests
from bus.shard_snapshots import list_snapshots
from bus.users import list_users
from llum.backup.making import make_backup
from llum.backup.manifest import read_manifest
from llum.backup.restoring import restore_into
from llum.failures import Fault
from llum.places.files import FORGOTTEN_FILE
from llum.places.forgotten_files import add_to
from llum.settings import Settings
from tests.actors.hosting import ALICE, HERS, Host
from tests.actors.serving import PARTITIONS, Llum, worker
from tests.actors.test_cutting import BEN, cut, lived
from tests.nats_server import running_server


def settings_of(host: Host) -> Settings:
    return msgspec.structs.replace(Settings(), data_dir=host.folder / "data", partitions=PARTITIONS)


def holding(folder: Path, word: bytes) -> list[str]:
    """Name the files that hold a word."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


def say_nothing(_line: str) -> None:
    """Nobody looks."""


async def nobody() -> Bus:
    raise AssertionError("nobody is to be forgotten, so no worker is needed")


async def test_it_has_the_snapshots_and_is_restored_into_an_external_server(host: Host, tmp_path: Path) -> None:
    """Nothing is restored over what is there."""
    await cut(host, await lived(host))
    folder = tmp_path / "backup"
    made = await make_backup(host.llum.bus, settings_of(host), folder, say_nothing)
    assert "OBJ_LLUM_SNAPSHOTS" in [one.name for one in made.streams]
    assert read_manifest(folder) == made
    with pytest.raises(Fault, match="already"):
        await restore_into(host.llum.bus, nobody, folder, settings_of(host), say_nothing)
    async with running_server(tmp_path / "there", PARTITIONS) as server:
        bus = await Bus.connect(server.url_as("operator"), name="there")
        await restore_into(bus, nobody, folder, settings_of(host), say_nothing)
        requests = Requests(bus)
        await requests.start()
        there = Llum(bus, requests, tmp_path / "shards")
        async with worker(server.url_as("operator"), tmp_path / "shards"):
            assert [await there.values("a", user) for user in (ALICE, BEN)] == [[1, 2, 3]] * 2
            await there.tell("a", 4)
            assert await there.values("a") == [1, 2, 3, 4]
        await requests.close()
        await bus.close()


async def test_who_was_forgotten_since_is_erased_in_an_external_server_too(host: Host, tmp_path: Path) -> None:
    """With the snapshots that hold them. Nothing is left in the folder of that server, nor of a worker."""
    await cut(host, await lived(host))
    folder, there = tmp_path / "backup", tmp_path / "there"
    made = await make_backup(host.llum.bus, settings_of(host), folder, say_nothing)
    names = await names_of(host.llum.bus)
    add_to(folder / FORGOTTEN_FILE, merged([Forgotten(names.of(ALICE), made.made_at + 1)]), names.installation)
    async with running_server(there, PARTITIONS) as server:

        async def as_worker() -> Bus:
            return await Bus.connect(server.url_as("worker"), name="worker")

        bus = await Bus.connect(server.url_as("operator"), name="there")
        restored = await restore_into(bus, as_worker, folder, settings_of(host), say_nothing)
        assert restored.again.people == 1
        async with worker(server.url_as("operator"), tmp_path / "shards"):
            assert await list_users(bus) == [BEN]
        await bus.close()
    assert holding(there, ALICE.encode()) == holding(tmp_path / "shards", ALICE.encode()) == []


async def test_a_backup_whose_snapshots_hold_who_was_just_forgotten_does_not_count(host: Host, tmp_path: Path) -> None:
    """The live llum knows of the forget, the copy need not."""
    await cut(host, await lived(host))
    newest = (await list_snapshots(host.llum.bus, HERS))[0].manifest
    assert newest is not None
    await record(host.llum.bus, HERS, newest.committed_seq + 1)
    with pytest.raises(Fault, match="no snapshot of partition"):
        await make_backup(host.llum.bus, settings_of(host), tmp_path / "backup", say_nothing)
    assert not (tmp_path / "backup").exists()
