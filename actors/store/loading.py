"""Loading models from a shard: the rows of people, and what they make."""

import sqlite3
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import msgspec

from actors.store import checksums, sql
from model.changes import Item
from model.fold import restore
from model.packing import unpack
from model.state import Model
from schemas.paths import split_path


class Loaded(msgspec.Struct):
    """What the shard holds of a user; `model` is None when no model has been made."""

    key: int
    model: Model | None
    log_sum: int
    """The sum of the digests of the commands that are kept with it."""
    state_sum: int
    """The sum of the checksums of its rows."""


def fetch_models(users: Iterable[str], connection: sqlite3.Connection) -> dict[str, tuple[Any, list[Any], list[Any]]]:
    """Fetch what is stored of those users that are there: a row of the user, those of the items and of the causes.

    Items are left out where the user's row has the structure in one piece.
    """
    found: dict[str, tuple[Any, list[Any], list[Any]]] = {}
    for name in users:
        user = connection.execute(sql.LOAD_USER, (name,)).fetchone()
        if user is not None:
            items = connection.execute(sql.LOAD_ITEMS, user[:1]).fetchall() if user[-1] is None else []
            found[name] = user, items, connection.execute(sql.LOAD_CAUSES, user[:1]).fetchall()
    return found


def loaded_from(name: str, user: Any, items: list[Any], causes: list[Any]) -> Loaded:
    """Make the model of what was fetched of one person. Raises `ValueError` when it is not what was written."""
    key, seq, time_us, log_sum, state_sum, checksum, of_structure, structure = user
    total = int.from_bytes(log_sum, "little")
    if checksum != checksums.of_user(key, name, seq, time_us, log_sum, state_sum):
        raise ValueError("the row of a person is not what was written")
    counts = dict(map(_checked, causes))
    if structure is not None:
        if crc32(structure) != of_structure:
            raise ValueError("the structure of a model is not what was written")
        return Loaded(key, unpack(name, structure, seq, time_us, counts), total, state_sum)
    # The versions of an item stand in their order: the last one counts.
    latest = {(kind, path): body for kind, path, body in items}
    present = [Item(kind, split_path(path), body.encode()) for (kind, path), body in latest.items() if body is not None]
    return Loaded(key, restore(name, present, seq, time_us, counts), total, state_sum)


def _checked(cause: tuple[str, int, int, int]) -> tuple[str, int]:
    root, seq, count, checksum = cause
    if checksum != checksums.of_row(root, seq, count):
        raise ValueError("the count of a cause is not what was written")
    return root, count
