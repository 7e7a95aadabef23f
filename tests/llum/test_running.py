"""One llum on a data folder, and how it is found."""

import errno
import os
from pathlib import Path

import pytest

from llum.failures import Fault
from llum.processes.running import RESTORING, DataFolder, hold, settle_restore, unwritable, write_atomically
from llum.running import Running, find


def test_second_llum_on_a_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    """The pid is named; once the first has ended, the second may start."""
    first = DataFolder(tmp_path / "data")
    with pytest.raises(Fault, match=rf"already runs on .*data \(pid {os.getpid()}\)"):
        DataFolder(tmp_path / "data")
    first.release()
    DataFolder(tmp_path / "data").release()


def test_running_llum_is_found_until_it_ends(tmp_path: Path) -> None:
    """`run.json` is there for as long as it runs, readable by its owner alone."""
    folder = DataFolder(tmp_path)
    with pytest.raises(Fault, match="no llum is running"):
        find(tmp_path)
    running = Running("http://127.0.0.1:1", "nats://127.0.0.1:2", os.getpid())
    folder.announce(running)
    assert find(tmp_path) == running
    assert (tmp_path / "run.json").stat().st_mode & 0o077 == 0
    folder.release()
    with pytest.raises(Fault, match="no llum is running"):
        find(tmp_path)


def test_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    """A file in its place, say."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match=r"cannot use .*file as data folder"):
        DataFolder(tmp_path / "file")


def test_a_folder_whose_restore_was_killed_is_no_new_one(tmp_path: Path) -> None:
    """Nobody is to find an empty llum there. Where the log had come already, only what is left over goes."""
    left = tmp_path / f"{RESTORING}abc"
    left.mkdir()
    with pytest.raises(Fault, match=r"a restore into .* was interrupted"):
        settle_restore(tmp_path)
    (tmp_path / "nats").mkdir()
    settle_restore(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["nats"]
    settle_restore(tmp_path)


def test_one_worker_holds_the_shards(tmp_path: Path) -> None:
    """A second one gives up after its patience."""
    with hold(tmp_path), pytest.raises(Fault, match="already runs"), hold(tmp_path, patience_s=0.0):
        pass
    with hold(tmp_path, patience_s=0.0):
        pass


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENOSPC, "Make room there"), (errno.EDQUOT, "Make room there"), (errno.EACCES, "you may write to")],
)
def test_a_full_disk_asks_for_room_and_not_for_rights(number: int, hint: str, tmp_path: Path) -> None:
    """A disk that is full, a quota that is used up, a folder of somebody else."""
    assert hint in unwritable(tmp_path, OSError(number, os.strerror(number))).error.hint


def test_what_cannot_be_written_says_so_with_a_way_out(tmp_path: Path) -> None:
    """As for any file that llum keeps of itself."""
    with pytest.raises(Fault, match=r"cannot write .*run\.json: No such file") as caught:
        write_atomically(tmp_path / "gone" / "run.json", Running("http://127.0.0.1:1", "nats://127.0.0.1:2", 1))
    assert caught.value.error.hint == "See who may write there."
