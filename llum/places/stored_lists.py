"""Lists of forgotten people beside backups in an object store.

Objects are never written over, so each telling makes a new one with all that is known, and deletes those it has read.
Two who tell at once leave two, and nothing is lost.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from bus.forgotten import KnownForgotten, merged
from bus.objects import ObjectStore, StoredObject
from llum.failures import Fault
from llum.places.files import MANIFEST_FILE
from llum.places.forgotten_files import LISTS, as_list, missing_from, read_list
from llum.places.stored import StoredPlace, is_of, object_name, opened, read_object


class PlaceAnswer(NamedTuple):
    """What has come of telling a backup."""

    is_there: bool
    why_not: str = ""
    """Why it could not be told; empty: it was, or is not there."""


async def tell_stored(places: Sequence[StoredPlace], register: KnownForgotten, installation: str) -> list[PlaceAnswer]:
    """Tell all backups of one store. Raises `Fault`, `Transient`, `ApiError` when none can be reached."""
    async with opened(places[0]) as store:
        return [await _answer(store, place, register, installation) for place in places]


async def _answer(store: ObjectStore, place: StoredPlace, register: KnownForgotten, installation: str) -> PlaceAnswer:
    if await store.find(object_name(place, MANIFEST_FILE)) is None:
        return PlaceAnswer(is_there=False)
    try:
        await _tell(store, place, register, installation)
    except Fault as error:
        return PlaceAnswer(is_there=True, why_not=error.message)
    return PlaceAnswer(is_there=True)


async def _tell(store: ObjectStore, place: StoredPlace, register: KnownForgotten, installation: str) -> None:
    lists = [one for one in await store.list(is_of(place)) if LISTS.fullmatch(one.metadata.get("path", ""))]
    contents = [b"".join([chunk async for chunk in read_object(store, one)]) for one in lists]
    if len(lists) == 1 and not missing_from(contents[0], lists[0].name, register, installation):
        return
    there = [read_list(content, one.name, installation) for one, content in zip(lists, contents, strict=True)]
    path = f"forgotten-{secrets.token_hex(8)}.jsonl"
    await _write(store, place, path, as_list(merged(*there, register.values()).values(), installation))
    await _delete(store, lists)


async def _write(store: ObjectStore, place: StoredPlace, path: str, content: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    await store.write(object_name(place, path), chunks(), lambda: {"path": path})


async def _delete(store: ObjectStore, lists: Sequence[StoredObject]) -> None:
    for one in lists:
        await store.delete(one.name)
