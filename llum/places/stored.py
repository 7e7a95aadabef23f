"""Backups in an object store of NATS, on whichever nats-server: each file of the folder is an object.

The manifest is written last, so a backup is there once that is. What an interrupted upload has left is deleted before
the next one of that name.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from bus.connection import Bus
from bus.jetstream import STREAM_DIFFERS, ApiError, JetStream
from bus.object_subjects import object_subjects
from bus.objects import CHUNK_BYTES, ObjectDamaged, ObjectStore, StoredObject
from bus.streams import object_store_stream
from bus.subjects import is_own_stream
from llum.failures import Fault
from llum.places.files import MANIFEST_FILE, OnProgress
from llum.places.scratch import scratch_folder
from schemas.errors import Transient

_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HINT: Final = "Write it as nats://USER:PASSWORD@HOST:4222/STORE/NAME, both of letters, digits, - and _."


class StoredPlace(NamedTuple):
    """Where a backup is in an object store."""

    url: str
    """Of the nats-server, with user and password."""
    store: str
    name: str
    """Of the backup: one store has many."""

    def __str__(self) -> str:
        return f"{self.store}/{self.name}"


def is_stored_place(text: str) -> bool:
    """Tell whether a place is in an object store, and no folder."""
    return "://" in text


def stored_place(text: str) -> StoredPlace:
    """Read `nats://…/STORE/NAME`. Raises a `Fault`."""
    parts = urlsplit(text)
    words = parts.path.strip("/").split("/")
    if parts.scheme not in ("nats", "tls", "ws", "wss") or not parts.netloc or len(words) != 2:
        raise Fault("that is no place in an object store", _HINT)
    if not all(map(_WORD.fullmatch, words)):
        raise Fault("a store or a backup cannot have that name", _HINT)
    if is_own_stream(words[0]):
        raise Fault(f"the store {words[0]} is llum's own", "Choose a name that does not begin with LLUM_.")
    return StoredPlace(urlunsplit((parts.scheme, parts.netloc, "", "", "")), *words)


async def upload(place: StoredPlace, folder: Path, on_progress: OnProgress) -> None:
    """Store a backup that is in a folder, and read it back. Raises `Fault`, `Transient`, `ApiError`."""
    async with opened(place) as store:
        await _make_free(store, place)
        paths = _files_of(folder)
        for path in paths:
            await _store(store, place, folder, path, on_progress)
        for path in paths:
            await _read_back(store, place, folder, path, on_progress)


@asynccontextmanager
async def downloaded(place: StoredPlace, beside: Path, on_progress: OnProgress) -> AsyncIterator[Path]:
    """Give a folder with the files of a backup, as long as the block lasts. Raises `Fault`, `Transient`, `ApiError`."""
    with scratch_folder(beside) as folder:
        async with opened(place) as store:
            if await store.find(object_name(place, MANIFEST_FILE)) is None:
                raise Fault(f"there is no backup {place}", await _others(store))
            for found in await store.list(is_of(place)):
                on_progress(f"fetching {found.name}: {found.bytes / 1e6:,.1f} MB")
                await _fetch(store, found, folder)
        yield folder


@asynccontextmanager
async def opened(place: StoredPlace) -> AsyncIterator[ObjectStore]:
    """Give the store of a place, which is made if need be. Raises `Fault`, `Transient`, `ApiError`."""
    try:
        bus = await Bus.connect(place.url, name="llum-backups")
    except Transient as error:
        hint = "See that it runs, and that user and password are right."
        raise Fault(f"the nats-server of the backup is away: {error.error.message}", hint) from error
    try:
        await _ensure(JetStream(bus), place.store)
        yield ObjectStore(bus, place.store)
    finally:
        await bus.close()


async def _ensure(jetstream: JetStream, store: str) -> None:
    """Make the store unless it is there, maybe as another tool has made it."""
    wanted = object_store_stream(store)
    try:
        await jetstream.call(f"STREAM.CREATE.{wanted['name']}", wanted)
    except ApiError as error:
        if error.err_code != STREAM_DIFFERS:
            raise
        config = (await jetstream.call(f"STREAM.INFO.{wanted['name']}"))["config"]
        if config.get("subjects") != object_subjects(store):
            raise Fault(f"the stream {wanted['name']} is no object store", "Choose another name.") from error


async def check_is_free(place: StoredPlace) -> None:
    """See that a backup can be stored there, before it is made. Raises `Fault`, `Transient`, `ApiError`."""
    async with opened(place) as store:
        await _make_free(store, place)


async def _make_free(store: ObjectStore, place: StoredPlace) -> None:
    if await store.find(object_name(place, MANIFEST_FILE)) is not None:
        raise Fault(f"the backup {place} is there already", "Choose another name: each backup has its own.")
    for found in await store.list(is_of(place)):
        await store.delete(found.name)
    await store.sweep(is_of(place))


def _files_of(folder: Path) -> list[Path]:
    """Give the files of a backup, the manifest last."""
    manifest = folder / MANIFEST_FILE
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path != manifest] + [manifest]


async def _store(store: ObjectStore, place: StoredPlace, folder: Path, path: Path, on_progress: OnProgress) -> None:
    name = str(path.relative_to(folder))

    async def chunks() -> AsyncIterator[bytes]:
        sent = 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
                sent += len(chunk)
                on_progress(f"storing {name}: {sent / 1e6:,.1f} MB")

    await store.write(object_name(place, name), chunks(), lambda: {"path": name})


async def _read_back(store: ObjectStore, place: StoredPlace, folder: Path, path: Path, on_progress: OnProgress) -> None:
    """Compare what is stored with the file."""
    name = str(path.relative_to(folder))
    on_progress(f"reading {name} back")
    found = await store.find(object_name(place, name))
    assert found is not None, "it was just written"
    with path.open("rb") as file:
        async for chunk in read_object(store, found):
            if file.read(len(chunk)) != chunk:
                raise _damaged(ObjectDamaged(found.name, "its bytes are not those of the backup"))


async def _fetch(store: ObjectStore, found: StoredObject, folder: Path) -> None:
    path = _path_of(found, folder)
    with path.open("wb") as file:
        async for chunk in read_object(store, found):
            file.write(chunk)


def _path_of(found: StoredObject, folder: Path) -> Path:
    """Give where a file belongs, in a folder that is there. Whoever writes to the store may name any place."""
    path = folder / found.metadata.get("path", "")
    if folder.resolve() not in path.resolve().parents:
        raise Fault(f"the object {found.name} is no file of a backup", "Restore another backup.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


async def read_object(store: ObjectStore, found: StoredObject) -> AsyncIterator[bytes]:
    """Give the chunks of an object. Raises a `Fault` where it is damaged, `Transient`."""
    try:
        async for chunk in store.read(found):
            yield chunk
    except ObjectDamaged as error:
        raise _damaged(error) from error


def _damaged(error: ObjectDamaged) -> Fault:
    return Fault(error.error.message, "Make or restore another backup.")


async def _others(store: ObjectStore) -> str:
    """Say which backups there are."""
    names = sorted(one.name.removesuffix(_encoded(MANIFEST_FILE)) for one in await store.list(_is_manifest))
    return f"There are: {', '.join(names)}." if names else "There is none in this store."


def _is_manifest(name: str) -> bool:
    return name.endswith(_encoded(MANIFEST_FILE))


def is_of(place: StoredPlace) -> Callable[[str], bool]:
    """Give what tells whether an object of that name is a file of a backup."""
    return lambda name: name.startswith(f"{place.name}:")


def object_name(place: StoredPlace, path: str) -> str:
    """Name the object that is a file of a backup."""
    return place.name + _encoded(path)


def _encoded(path: str) -> str:
    """Write a path as the end of an object's name, which is one token of a subject."""
    return ":" + quote(path, safe="").replace(".", "%2E")
