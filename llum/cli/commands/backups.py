"""`llum admin backup` and `llum admin restore`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options
from llum.cli.progress import Progress
from llum.settings import Settings, hide_password, variable

if TYPE_CHECKING:
    from bus.connection import Bus
    from llum.backup.forgetting_again import Again
    from llum.backup.manifest import Manifest
    from llum.backup.restoring import Restored


@click.command()
@click.argument("place")
@json_option
@settings_options(*WHERE)
def backup(settings: Settings, place: str, as_json: bool) -> None:
    """Make a backup of a running llum at PLACE, and read it back.

    PLACE is a folder, which is made, or a name in an object store of NATS: nats://HOST/STORE/NAME.

    It holds the log, tokens, passwords, secrets and settings, but no shards: they are made anew from the log, and from
    snapshots where that was cut. Whoever can read it can read everything of everybody.
    """
    _log_errors(settings)
    with Progress() as progress:
        made = asyncio.run(_make_at(settings, place, progress))
    shown = hide_password(place)
    say(_summary(shown, made), "\n".join(_in_words(shown, made)), as_json=as_json)


@click.command()
@click.argument("place")
@click.option(
    "--forgotten",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Who was forgotten since, by a data folder or another backup, or its forgotten.jsonl.",
)
@json_option
@settings_options(*WHERE)
def restore(settings: Settings, place: str, forgotten: tuple[Path, ...], as_json: bool) -> None:
    """Restore the backup at PLACE into a data folder, or the nats-server of `nats_url`, that has no log yet.

    PLACE is a folder, or nats://HOST/STORE/NAME.

    Whoever is known to have been forgotten after the backup was made is erased again first.

    Start llum on it afterwards. Its first start makes the shards anew from the log.
    """
    _log_errors(settings)
    target, is_external = str(settings.data_dir), settings.nats_url is not None
    if settings.nats_url is not None:
        target = hide_password(settings.nats_url)
    with Progress() as progress:
        restored, again = asyncio.run(_restore_from(settings, place, forgotten, progress))
    start = "start its workers and edges" if is_external else f"start it with: llum up --data-dir {target}"
    answer = {
        "data_dir": str(settings.data_dir),
        "nats_url": target if is_external else None,
        "made_at": restored.made_at,
        "commands": restored.commands,
        "losses": restored.losses,
        "forgotten_again": again.people,
        "newest_forgotten": again.newest,
    }
    lines = [f"restored {restored.commands:,} commands into {target}", *_lost(restored)]
    lines += _since(restored, again, is_named=bool(forgotten))
    say(answer, "\n".join([*lines, *_settings_of(restored), start]), as_json=as_json)


async def _make_at(settings: Settings, place: str, progress: Progress) -> "Manifest":
    from llum.bus_address import connected_as
    from llum.places.telling import add_place

    bus = await connected_as(settings, "operator", "llum-backup")
    try:
        made = await _make(bus, settings, place, progress)
        await add_place(bus, place, settings.data_dir)
        return made
    finally:
        await bus.close()


async def _make(bus: "Bus", settings: Settings, place: str, progress: Progress) -> "Manifest":
    from llum.backup.making import make_backup
    from llum.places.scratch import scratch_folder
    from llum.places.stored import check_is_free, is_stored_place, stored_place, upload

    if not is_stored_place(place):
        return await make_backup(bus, settings, Path(place), progress)
    stored = stored_place(place)
    await check_is_free(stored)
    with scratch_folder(settings.data_dir) as scratch:
        folder = scratch / stored.name
        made = await make_backup(bus, settings, folder, progress, place)
        await upload(stored, folder, progress)
    return made


async def _restore_from(settings: Settings, place: str, forgotten: tuple[Path, ...], progress: Progress) -> "Restored":
    from llum.places.forgotten_files import named_lists
    from llum.places.stored import downloaded, is_stored_place, stored_place

    lists = [file for path in forgotten for file in named_lists(path)]
    restore_it = _restore_here if settings.nats_url is None else _restore_into
    if not is_stored_place(place):
        return await restore_it(settings, Path(place), lists, progress)
    async with downloaded(stored_place(place), settings.data_dir.absolute().parent, progress) as folder:
        return await restore_it(settings, folder, lists, progress)


async def _restore_here(settings: Settings, folder: Path, lists: list[Path], progress: Progress) -> "Restored":
    from llum.backup.restoring import restore_backup

    return await restore_backup(folder, settings, progress, lists)


async def _restore_into(settings: Settings, folder: Path, lists: list[Path], progress: Progress) -> "Restored":
    from llum.backup.restoring import restore_into
    from llum.bus_address import connected_as

    async def as_worker() -> "Bus":
        return await connected_as(settings, "worker", "llum-restore-worker")

    bus = await connected_as(settings, "operator", "llum-restore")
    try:
        return await restore_into(bus, as_worker, folder, settings, progress, lists)
    finally:
        await bus.close()


def _since(restored: "Manifest", again: "Again", *, is_named: bool) -> list[str]:
    """Say who was forgotten after the backup was made, and of whom that cannot be known."""
    from llum.cli.render import moment

    lines = [f"it is as of {moment(restored.made_at)}"]
    if again.people:
        who = "1 person was" if again.people == 1 else f"{again.people:,} people were"
        lines.append(f"{who} forgotten after this backup was made, whole or in part: erased again")
    elif not is_named and (again.newest is None or again.newest < restored.made_at):
        lines.append(
            "no list says that anybody was forgotten after that. If somebody was, restore again with --forgotten and "
            "the data folder of before, or forget them once more"
        )
    return lines


def _in_words(place: str, made: "Manifest") -> list[str]:
    size = f"{made.size / 1e6:,.1f} MB"
    return [f"backup of {made.commands:,} commands in {place}, {size}, read back", *_lost(made)]


def _lost(manifest: "Manifest") -> list[str]:
    from bus.losses import in_words

    return [f"BUT the log had lost commands before the backup was made: {in_words(one)}" for one in manifest.losses]


def _settings_of(restored: "Manifest") -> list[str]:
    """Settings are not restored, because they belong to a machine; but nobody should have to guess them."""
    changed = {variable(name): value for name, value in restored.settings.items()}
    return [f"it was run with {name}={value}" for name, value in sorted(changed.items())]


def _summary(place: str, made: "Manifest") -> dict[str, Any]:
    return {
        "folder": place,
        "commands": made.commands,
        "bytes": made.size,
        "streams": [stream.name for stream in made.streams],
        "losses": made.losses,
    }


def _log_errors(settings: Settings) -> None:
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
