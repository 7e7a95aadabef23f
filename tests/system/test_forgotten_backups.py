"""An old backup brings no byte back of whoever was forgotten after it was made."""

import json
import shutil
from pathlib import Path

import pytest

from tests.system.harness import Llum
from tests.system.test_backups import other, store, tell, values
from tests.system.test_forgetting import ANNA, BEN, MARK, REMEMBERED, found

__all__ = ["other", "store"]

PART = "XXPART"
AGAIN = "1 person was forgotten after this backup was made, whole or in part: erased again"


def begin(llum: Llum) -> None:
    for user, mark in ((ANNA, MARK), (BEN, REMEMBERED)):
        llum.run("admin", "person", "add", user, "--first-name", mark)
        tell(llum, mark, user)
    llum.run("admin", "app", "add", ANNA, "probe", "--password-stdin", text=f"{MARK}-password")
    llum.run("tell", BEN, "Personal/lastname", json.dumps(PART))


def forget(llum: Llum) -> tuple[list[str], list[str]]:
    """Forget Anna; give the backups that know it now, and those that do not."""
    receipt = json.loads(llum.run("admin", "person", "forget", ANNA, "--yes", "--json"))
    return receipt["backups_told"], receipt["backups_not_told"]


def restore(other: Llum, *arguments: str) -> str:
    """Restore in place of what was restored before."""
    shutil.rmtree(other.data_dir, ignore_errors=True)
    return other.run("admin", "restore", *arguments)


def test_who_was_forgotten_after_a_backup_is_not_restored_with_it(llum: Llum, other: Llum, tmp_path: Path) -> None:
    """Nor a part of somebody. What is left is whole."""
    folder = tmp_path / "backup"
    begin(llum)
    llum.run("admin", "backup", str(folder))
    llum.run("forget", BEN, "--component", "Personal/lastname", "--yes")
    assert forget(llum) == ([str(folder)], [])
    assert ANNA not in (folder / "forgotten.jsonl").read_text("utf-8")
    assert "2 people were forgotten" in restore(other, str(folder))
    assert found(other.data_dir, ANNA, MARK, PART) == {}
    other.start()
    assert other.run("admin", "person", "list").split() == [BEN]
    assert values(other, BEN) == [REMEMBERED, REMEMBERED]


@pytest.mark.long
def test_who_comes_again_stays_and_a_list_may_be_elsewhere(llum: Llum, other: Llum, store: str, tmp_path: Path) -> None:
    """A backup that its list does not lie beside is restored with another list. One in an object store has its own."""
    old, copy, new, stored = tmp_path / "old", tmp_path / "copy", tmp_path / "new", f"{store}/monday"
    begin(llum)
    llum.run("admin", "backup", stored)
    llum.run("admin", "backup", str(old))
    old.rename(copy)
    assert forget(llum) == ([stored], [])
    llum.run("admin", "person", "add", ANNA, "--first-name", "again")
    llum.run("admin", "backup", str(new))

    assert AGAIN in restore(other, stored)
    assert found(other.data_dir, ANNA, MARK) == {}
    assert "no list says that anybody was forgotten" in restore(other, str(copy))
    assert found(other.data_dir, MARK)
    for known in (new, llum.data_dir):
        assert AGAIN in restore(other, str(copy), "--forgotten", str(known))
        assert found(other.data_dir, ANNA, MARK) == {}
    assert "erased again" not in restore(other, str(new), "--forgotten", str(llum.data_dir))
    other.start()
    assert values(other, ANNA) == ["again"]
    assert "nothing is lost, all partitions answer" in other.run("doctor")
