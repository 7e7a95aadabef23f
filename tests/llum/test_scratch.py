"""Folders in which a backup is being made: what a maker has left that was killed does not stay."""

import os
from pathlib import Path

import pytest

from llum.failures import Fault
from llum.places.forgotten_files import lists_in
from llum.places.scratch import LOCK_FILE, scratch_folder


def test_what_a_killed_maker_has_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    """With all that is in it; not what is just being made, nor anything else."""
    (tmp_path / ".llum-backup-left" / "streams").mkdir(parents=True)
    (tmp_path / ".llum-backup-left" / LOCK_FILE).touch()
    (tmp_path / "backup").mkdir()
    with scratch_folder(tmp_path) as one, scratch_folder(tmp_path) as other:
        assert {path.name for path in tmp_path.iterdir()} == {"backup", one.name, other.name}
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_what_is_moved_away_stays(tmp_path: Path) -> None:
    """A backup gets its name so."""
    with scratch_folder(tmp_path / "place") as folder:
        (folder / "content").touch()
        folder.rename(tmp_path / "backup")
    assert (tmp_path / "backup" / "content").exists()
    assert not os.listdir(tmp_path / "place")


def test_a_folder_that_cannot_be_looked_into_is_said_in_a_line(tmp_path: Path) -> None:
    """One that is not there has no lists."""
    assert lists_in(tmp_path / "none") == []
    with pytest.raises(Fault, match="cannot look into"):
        lists_in(tmp_path / ("x" * 300))
