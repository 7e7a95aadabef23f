"""A shard that is set aside is listed, and goes after a week or with a forget in its partition."""

from pathlib import Path

import pytest

from bus.aside import KEPT_S, AsideReason, list_aside, remove_aside, remove_old, set_aside

NOON = 1_795_694_400.0


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    return folder


def a_shard(shards: Path, partition: int) -> Path:
    path = shards / f"{partition}.db"
    for suffix, content in (("", b"rows"), ("-wal", b"newer rows"), ("-shm", b"")):
        Path(f"{path}{suffix}").write_bytes(content)
    return path


def put(shards: Path, partition: int, reason: AsideReason = "damaged", now: float = NOON) -> Path:
    return set_aside(a_shard(shards, partition), reason, now)


def test_what_is_set_aside_is_listed_with_its_time_and_reason(shards: Path) -> None:
    """Where the shard was, nothing is left; the new name says when it was."""
    path = put(shards, 7, "other_log")
    assert path.name == "7.2026-11-26T12-00-00Z.other_log.db"
    (one,) = list_aside(shards)
    assert (one.partition, one.reason, one.since, one.bytes, one.path) == (7, "other_log", NOON, 14, str(path))
    assert not list(shards.glob("7.db*"))


def test_a_partition_may_be_set_aside_twice_in_a_second(shards: Path) -> None:
    """Neither takes the other's place."""
    assert put(shards, 7) != put(shards, 7)
    assert [one.partition for one in list_aside(shards)] == [7, 7]


def test_it_is_deleted_after_a_week(shards: Path) -> None:
    """With the files beside it, and not before."""
    put(shards, 7)
    put(shards, 8, now=NOON + 1)
    remove_old(shards, NOON + KEPT_S - 1)
    assert len(list_aside(shards)) == 2
    remove_old(shards, NOON + KEPT_S)
    assert [one.partition for one in list_aside(shards)] == [8]
    assert not list((shards / "aside").glob("7.*"))


def test_a_forget_deletes_what_is_of_its_partition(shards: Path) -> None:
    """Not that of partition 77."""
    put(shards, 7)
    put(shards, 7, "other_log")
    put(shards, 77)
    remove_aside(shards / "7.db")
    assert [one.partition for one in list_aside(shards)] == [77]


def test_what_is_not_there_is_no_mistake(shards: Path) -> None:
    """No folder yet, a shard without a file beside it, a file that somebody has put there."""
    assert list_aside(shards) == []
    remove_aside(shards / "7.db")
    (shards / "7.db").write_bytes(b"rows")
    set_aside(shards / "7.db", "damaged", NOON)
    (shards / "aside" / "notes.txt").write_text("seen")
    assert [one.bytes for one in list_aside(shards)] == [4]
