"""An operator cuts the log: who is forgotten afterwards is nowhere, and nobody else loses anything."""

import json
import shutil
from pathlib import Path

import pytest

from tests.system.harness import Llum
from tests.system.plain_bus import PlainBus
from tests.system.test_backups import other
from tests.system.test_forgetting import ANNA, BEN, MARK, REMEMBERED, begin, everything, found, live

__all__ = ["other"]

pytestmark = pytest.mark.long


async def test_a_person_who_is_forgotten_after_a_cut_is_on_no_disk(
    installation: Llum, other: Llum, tmp_path: Path
) -> None:
    """Neither in the log nor in the files below it; and all shards can be made anew without that person.

    A backup from between the two holds the person in its snapshots, and brings nothing back of them.
    """
    llum = installation
    llum.start()
    async with PlainBus.connect(llum.nats) as bus:
        for user, mark in ((ANNA, MARK), (BEN, REMEMBERED)):
            await begin(bus, llum, user, mark)
            await live(bus, user, mark, range(3))
        others = await everything(bus, BEN)
        said = llum.run("admin", "log", "cut", "--days", "0")
        assert "cut it with --yes" in said
        assert found(llum.data_dir, MARK)
        done = json.loads(llum.run("admin", "log", "cut", "--days", "0", "--yes", "--json"))
        assert (len(done["cut"]), done["why_not"]) == (2, [])
        assert "shards are made anew from snapshots" in " ".join(llum.run("status").split())
        assert llum.run("admin", "person", "list").split() == sorted([ANNA, BEN])
        assert await everything(bus, BEN) == others

        llum.run("admin", "backup", str(tmp_path / "backup"))
        receipt = json.loads(llum.run("admin", "person", "forget", ANNA, "--yes", "--json"))
        assert not any(receipt["left"].values())
        assert found(llum.data_dir, MARK, ANNA) == {}
    llum.stop()
    shutil.rmtree(llum.data_dir / "shards")
    llum.start()
    async with PlainBus.connect(llum.nats) as back:
        assert await everything(back, BEN) == others
    assert llum.run("admin", "person", "list").split() == [BEN]
    assert found(llum.data_dir, MARK, ANNA) == {}
    assert "nothing is lost, all partitions answer" in llum.run("doctor")
    llum.stop()
    said = other.run("admin", "restore", str(tmp_path / "backup"))
    assert "1 person was forgotten after this backup was made" in said
    assert found(other.data_dir, MARK, ANNA) == {}
    other.start()
    async with PlainBus.connect(other.nats) as restored:
        assert await everything(restored, BEN) == others
    assert other.run("admin", "person", "list").split() == [BEN]
