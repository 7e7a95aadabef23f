"""Folders and files are for their own user alone."""

import os
import stat
from pathlib import Path

import pytest

from bus.private_files import be_private, tighten


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """A data folder of a version that left it open, and a stranger's file in it."""
    folder = tmp_path / "data"
    (folder / "shards").mkdir(parents=True)
    (folder / "log").mkdir()
    for name in ("shards/0.db", "log/edge.jsonl", "format", "a stranger's"):
        (folder / name).write_text("")
        (folder / name).chmod(0o644)
    for name in ("", "shards", "log"):
        (folder / name).chmod(0o755)
    return folder


def test_what_a_process_makes_is_private_from_its_start() -> None:
    """The umask holds for its children and its libraries, too."""
    before = os.umask(0o022)
    try:
        be_private()
        assert os.umask(0o022) == 0o077
    finally:
        os.umask(before)


def test_what_was_open_is_closed_and_named(loose: Path) -> None:
    """The folder, and all that is in the named entries; the second time there is nothing to do."""
    found = tighten(loose, ["shards", "log", "format", "not there"])
    assert {mode_of(path) for path in (loose, loose / "shards", loose / "log")} == {0o700}
    assert {mode_of(loose / name) for name in ("shards/0.db", "log/edge.jsonl", "format")} == {0o600}
    assert set(found.changed) == {
        loose, loose / "shards", loose / "shards/0.db", loose / "log", loose / "log/edge.jsonl", loose / "format"
    }  # fmt: skip
    assert found.open == ()
    assert tighten(loose, ["shards", "log", "format"]) == ((), ())


def test_what_is_not_llums_stays_as_it_is(loose: Path, tmp_path: Path) -> None:
    """An entry that is not named, and where a link leads."""
    outside = tmp_path / "outside"
    outside.write_text("")
    outside.chmod(0o644)
    (loose / "shards" / "link").symlink_to(outside)
    tighten(loose, ["shards"])
    assert mode_of(outside) == 0o644
    assert mode_of(loose / "a stranger's") == 0o644


def test_a_folder_that_all_share_is_not_taken_from_them(loose: Path) -> None:
    """It is said instead."""
    loose.chmod(0o1777)
    found = tighten(loose, [])
    assert found == ((), (loose,))
    assert mode_of(loose) == 0o1777
