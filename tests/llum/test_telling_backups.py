"""Backups are told of who was forgotten, by a command and by workers.

Method: a real nats-server, and folders that look like backups.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bus.backup_places import BackupPlace, places, remember
from bus.connection import Bus
from bus.forgotten import PartCommand, Register, names_of
from llum.cli.commands.forgetting import in_words
from llum.failures import Fault
from llum.people.forgetter import Counts
from llum.people.forgetting import Receipt
from llum.places.files import MANIFEST_FILE
from llum.places.forgotten_files import content_of, read_list
from llum.places.telling import drop_place, known_places, place_of, tell_all
from llum.processes.sweeping import tell_backups
from tests.nats_server import installed_server


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    async with installed_server(tmp_path / "server", 2) as server:
        connected = await Bus.connect(server.url_as("operator"), name="test")
        yield connected
        await connected.close()


async def told(bus: Bus, file: Path) -> set[str]:
    """Give whose digests a list holds."""
    return {one.who for one in read_list(content_of(file), str(file), (await names_of(bus)).installation)}


def like_a_backup(folder: Path) -> Path:
    """Make a folder, and give its list."""
    folder.mkdir(parents=True)
    (folder / MANIFEST_FILE).touch()
    return folder / "forgotten.jsonl"


async def test_what_can_be_reached_is_told_and_what_was_deleted_is_dropped(bus: Bus, tmp_path: Path) -> None:
    """The others are named, and stay."""
    there = like_a_backup(tmp_path / "there")
    for name in ("there", "gone"):
        await remember(bus, place_of(str(tmp_path / name)))
    await remember(bus, BackupPlace("/backups/monday", "another-machine"))
    await remember(bus, BackupPlace(str(tmp_path / "unmounted" / "monday"), place_of(str(there)).host, 7))
    await Register(bus).record("anna", is_finished=True)
    done = await tell_all(bus, tmp_path)
    assert done.backups == [str(there.parent)]
    why_not = " ".join(done.not_told)
    assert all(part in why_not for part in ("another-machine", "its disk is not there"))
    assert (len(done.not_told), len(await places(bus))) == (2, 3)
    anna = {(await names_of(bus)).of("anna")}
    assert [await told(bus, file) for file in (there, tmp_path / "forgotten.jsonl")] == [anna, anna]


async def test_a_worker_tells_what_is_new(bus: Bus, tmp_path: Path) -> None:
    """Once: where nothing has changed, no list is looked at."""
    file = like_a_backup(tmp_path / "backup")
    await remember(bus, place_of(str(file.parent)))
    await Register(bus).record("anna", is_finished=True)
    up_to = await tell_backups(bus, tmp_path, -1)
    assert len(await told(bus, file)) == 1
    file.unlink()
    assert await tell_backups(bus, tmp_path, up_to) == up_to
    assert not file.exists()
    await Register(bus).record("ben", is_finished=True)
    assert await tell_backups(bus, tmp_path, up_to) > up_to
    assert len(await told(bus, file)) == 2


async def test_a_person_takes_what_is_known_of_parts_along(bus: Bus) -> None:
    """Nobody needs it any more."""
    register, names = Register(bus), await names_of(bus)
    for _ in range(2):
        await register.record_part(PartCommand("anna", "llum", b"{}", "7"))
    assert [one.who for one in (await register.known()).values() if one.which] == [names.of("anna")]
    await register.record("anna", is_finished=True)
    assert set(await register.known()) == {names.of("anna")}


def test_a_receipt_says_which_backups_know_and_what_a_cluster_keeps() -> None:
    """And nothing of either where there is none."""
    receipt = Receipt(user="anna", removed=Counts(), left=Counts(), known=True)
    said = in_words(receipt)
    assert "backups" not in said
    assert "cluster" not in said
    told = msgspec.structs.replace(receipt, in_votes=True, backups_told=["/a"], backups_not_told=["/b (away)"])
    said = in_words(told)
    assert "backups that forget this person, too, when they are restored: 1" in said
    assert "NOT TOLD: /b (away)" in said
    assert "the servers of the cluster keep what they have voted on for some minutes more" in said


async def test_a_place_that_is_gone_for_good_is_dropped_by_hand(bus: Bus) -> None:
    """As it is shown, which is without the password."""
    stored = BackupPlace("nats://me:secret@vault.example:4222/llum/monday")
    await remember(bus, stored)
    await remember(bus, BackupPlace("/backups/monday", "another-machine"))
    shown = [one.where for one in await known_places(bus)]
    assert "secret" not in "".join(shown)
    assert len(shown) == 2
    with pytest.raises(Fault, match="no backup is known"):
        await drop_place(bus, "/backups/tuesday")
    for where in ("/backups/monday on another-machine", shown[0]):
        await drop_place(bus, where)
    assert await places(bus) == []
