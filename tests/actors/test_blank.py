"""The file of a shard without commands is made from bytes."""

import sqlite3
from contextlib import closing
from pathlib import Path

from actors.store import sql
from actors.store.blank import make_blank
from actors.store.shard import Shard


def test_a_blank_file_is_what_the_schema_makes(tmp_path: Path) -> None:
    """The same tables, rows and settings as in a file that SQLite has made itself."""
    made, expected = tmp_path / "made.db", tmp_path / "expected.db"
    make_blank(made)
    with closing(sqlite3.connect(expected, isolation_level=None)) as connection:
        for pragma in sql.PRAGMAS:
            connection.execute(pragma)
        connection.executescript(sql.SCHEMA)
    assert described(made) == described(expected)


def described(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        (checked,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert (mode, checked) == ("wal", "ok")
        return [page_size, *connection.iterdump()]


async def test_what_a_lost_file_has_left_beside_it_does_not_come_back(tmp_path: Path) -> None:
    """Somebody deletes a shard, but not its write-ahead log: the new shard does not take rows from there."""
    path = tmp_path / "3.db"
    make_blank(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql.PUT_USER, (1, "alice", 1, 1, b"", 0, 0))
        assert path.with_name("3.db-wal").stat().st_size
        kept = path.with_name("3.db-wal").read_bytes()
    path.unlink()
    path.with_name("3.db-wal").write_bytes(kept)
    shard = await Shard.open(path)
    try:
        assert await shard.load(["alice"]) == {}
    finally:
        await shard.close()


async def test_what_an_interrupted_attempt_has_left_is_written_over(tmp_path: Path) -> None:
    """A process that was killed while it made the file leaves a part of it under another name."""
    tmp_path.joinpath("3.new").write_bytes(b"a part")
    shard = await Shard.open(tmp_path / "3.db")
    try:
        assert await shard.load(["alice"]) == {}
        assert sorted({*left(tmp_path)} - {"3.db-wal", "3.db-shm"}) == ["3.db"]
    finally:
        await shard.close()


def left(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]
