"""What llum keeps on the disk is for its own user alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.harness import Llum


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """As most machines have it: what is made is open to others, unless somebody sees to it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> set[Path]:
    """Find what others could get at, if only the folder let them in."""
    found: set[Path] = {folder} if folder.stat().st_mode & 0o077 else set()
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            mode = Path(parent, name).lstat().st_mode
            if mode & 0o077 and not stat.S_ISLNK(mode):
                found.add(Path(parent, name))
    return found


def test_no_process_leaves_anything_to_others(installation: Llum) -> None:
    """Neither llum's own nor nats-server: folders, shards, the log, the processes' logs, a ready file."""
    installation.start()
    installation.run("admin", "person", "add", "alice")
    installation.run("admin", "app", "add", "alice", "phone")
    assert open_to_others(installation.data_dir) == set()
    assert not installation.ready_file.stat().st_mode & 0o077
    installation.stop()
    assert open_to_others(installation.data_dir) == set()


def test_a_folder_of_an_earlier_version_is_closed_and_said(installation: Llum) -> None:
    """In one line, which names it. At the next start nothing is said."""
    shards = installation.data_dir / "shards"
    shards.mkdir(parents=True)
    assert open_to_others(installation.data_dir) == {installation.data_dir, shards}
    installation.start()
    assert open_to_others(installation.data_dir) == set()
    said = f"llum: closed to other users: {installation.data_dir} and 1 more\n"
    assert installation.output.read_text("utf-8").count(said) == 1
    installation.stop()
    installation.start()
    assert installation.output.read_text("utf-8").count("closed to other users") == 1
