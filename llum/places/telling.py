"""Telling backups, and the data folder, of who was forgotten: each has a list beside it (`forgotten_files`)."""

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from bus.backup_places import BackupPlace, drop, places, remember
from bus.connection import Bus
from bus.forgotten import KnownForgotten, Register, names_of
from llum.failures import Fault
from llum.places.files import FORGOTTEN_FILE, MANIFEST_FILE
from llum.places.forgotten_files import add_to
from llum.places.stored import is_stored_place, stored_place
from llum.places.stored_lists import PlaceAnswer, tell_stored
from llum.settings import hide_password
from schemas.errors import LlumError


class ToldBackups(NamedTuple):
    """Which backups know now who was forgotten."""

    backups: list[str]
    not_told: list[str]
    """Those that could not be reached, each with the reason."""


def place_of(where: str) -> BackupPlace:
    """Say where a backup is, or will be: in an object store, or in a folder of this machine. Raises `OSError`."""
    if is_stored_place(where):
        return BackupPlace(where)
    path = Path(where).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    return BackupPlace(str(path), socket.gethostname(), path.parent.stat().st_ino)


async def add_place(bus: Bus, where: str, data_dir: Path) -> None:
    """Remember a backup that has just been made, and tell all of who was forgotten meanwhile, or while they were away.

    Whoever forgot somebody while it was made has not found it there, and has dropped the place.
    Raises `Transient`, `ApiError`.
    """
    await remember(bus, place_of(where))
    await tell_all(bus, data_dir)


async def known_places(bus: Bus) -> list[BackupPlace]:
    """Give all places that are remembered, without the passwords in them. Raises `Transient`, `ApiError`."""
    found = [msgspec.structs.replace(one, where=hide_password(one.where)) for one in await places(bus)]
    return sorted(found, key=lambda one: (one.host, one.where))


async def drop_place(bus: Bus, where: str) -> list[BackupPlace]:
    """Tell no backup at a place any more, as it is listed or as it was named; give what was dropped.

    Raises `Fault` if none is known there, `Transient`, `ApiError`.
    """
    named = _ways_to_name(where)
    chosen = [
        one for one in await places(bus) if named & {one.where, hide_password(one.where), f"{one.where} on {one.host}"}
    ]
    if not chosen:
        raise Fault(f"no backup is known at {hide_password(where)}", "`llum admin backups` lists them.")
    for one in chosen:
        await drop(bus, one)
    return [msgspec.structs.replace(one, where=hide_password(one.where)) for one in chosen]


def _ways_to_name(where: str) -> set[str]:
    return {where, where if is_stored_place(where) else str(Path(where).absolute())}


async def tell_all(bus: Bus, data_dir: Path) -> ToldBackups:
    """Write the register into the data folder, if that is here, and beside all backups that can be reached.

    Raises `Transient`, `ApiError` when the register cannot be read.
    """
    register, names = await Register(bus).known(), await names_of(bus)
    kept = await asyncio.to_thread(_keep, data_dir, register, names.installation)
    told, not_told = list[str](), kept
    async for place, answer in _answers(await places(bus), register, names.installation):
        if not answer.is_there:
            await drop(bus, place)
        elif answer.why_not:
            not_told.append(f"{hide_password(place.where)} ({answer.why_not})")
        else:
            told.append(hide_password(place.where))
    return ToldBackups(sorted(told), sorted(not_told))


async def _answers(
    told: list[BackupPlace], register: KnownForgotten, installation: str
) -> AsyncIterator[tuple[BackupPlace, PlaceAnswer]]:
    stores = defaultdict[tuple[str, str], list[BackupPlace]](list)
    for place in told:
        if is_stored_place(place.where):
            where = stored_place(place.where)
            stores[where.url, where.store].append(place)
        else:
            yield place, await asyncio.to_thread(_tell_folder, place, register, installation)
    for each in stores.values():
        try:
            answers = await tell_stored([stored_place(one.where) for one in each], register, installation)
        except LlumError as error:
            answers = [PlaceAnswer(is_there=True, why_not=error.message)] * len(each)
        for pair in zip(each, answers, strict=True):
            yield pair


def _keep(data_dir: Path, register: KnownForgotten, installation: str) -> list[str]:
    """Write the list of the data folder, if that is here; say why it could not be written."""
    try:
        if register and data_dir.is_dir():
            add_to(data_dir / FORGOTTEN_FILE, register, installation)
    except (OSError, Fault) as error:
        return [f"{data_dir} ({error})"]
    return []


def _tell_folder(place: BackupPlace, register: KnownForgotten, installation: str) -> PlaceAnswer:
    folder = Path(place.where)
    if place.host != socket.gethostname():
        return PlaceAnswer(is_there=True, why_not=f"it is on the machine {place.host}: a worker there tells it")
    try:
        if (folder / MANIFEST_FILE).exists():
            add_to(folder / FORGOTTEN_FILE, register, installation)
            return PlaceAnswer(is_there=True)
        # Where a disk is not mounted there is another folder, or none.
        is_away = not folder.parent.exists() or folder.parent.stat().st_ino != place.beside
    except (OSError, Fault) as error:
        return PlaceAnswer(is_there=True, why_not=str(error))
    return PlaceAnswer(is_there=is_away, why_not="its disk is not there")
