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
    from llum.backup.manifest import Manifest


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
@json_option
@settings_options(*WHERE)
def restore(settings: Settings, place: str, as_json: bool) -> None:
    """Restore the backup at PLACE into a data folder, or the nats-server of `nats_url`, that has no log yet.

    PLACE is a folder, or nats://HOST/STORE/NAME.

    Start llum on it afterwards. Its first start makes the shards anew from the log.
    """
    _log_errors(settings)
    target, is_external = str(settings.data_dir), settings.nats_url is not None
    if settings.nats_url is not None:
        target = hide_password(settings.nats_url)
    with Progress() as progress:
        restored = asyncio.run(_restore_from(settings, place, progress))
    start = "start its workers and edges" if is_external else f"start it with: llum up --data-dir {target}"
    answer = {
        "data_dir": str(settings.data_dir),
        "nats_url": target if is_external else None,
        "made_at": restored.made_at,
        "commands": restored.commands,
        "losses": restored.losses,
    }
    lines = [f"restored {restored.commands:,} commands into {target}", *_lost(restored), *_since(restored)]
    say(answer, "\n".join([*lines, *_settings_of(restored), start]), as_json=as_json)


async def _make_at(settings: Settings, place: str, progress: Progress) -> "Manifest":
    from llum.backup.stored import is_stored_place, scratch_folder, stored_place, upload

    if not is_stored_place(place):
        return await _make(settings, Path(place), progress)
    stored = stored_place(place)
    with scratch_folder(settings.data_dir) as scratch:
        folder = scratch / stored.name
        made = await _make(settings, folder, progress)
        await upload(stored, folder, progress)
    return made


async def _restore_from(settings: Settings, place: str, progress: Progress) -> "Manifest":
    from llum.backup.stored import downloaded, is_stored_place, stored_place

    restore_it = _restore_here if settings.nats_url is None else _restore_into
    if not is_stored_place(place):
        return await restore_it(settings, Path(place), progress)
    async with downloaded(stored_place(place), settings.data_dir.absolute().parent, progress) as folder:
        return await restore_it(settings, folder, progress)


async def _restore_here(settings: Settings, folder: Path, progress: Progress) -> "Manifest":
    from llum.backup.restoring import restore_backup

    return await restore_backup(folder, settings, progress)


async def _restore_into(settings: Settings, folder: Path, progress: Progress) -> "Manifest":
    from llum.backup.restoring import restore_into
    from llum.bus_address import connected_as

    bus = await connected_as(settings, "operator", "llum-restore")
    try:
        return await restore_into(bus, folder, progress)
    finally:
        await bus.close()


def _since(restored: "Manifest") -> list[str]:
    """A backup does not know who was forgotten after it was made."""
    from llum.cli.render import moment

    made = moment(restored.made_at)
    return [f"it is as of {made}: whoever was forgotten after that is there again, and must be forgotten once more"]


async def _make(settings: Settings, folder: Path, progress: Progress) -> "Manifest":
    from llum.backup.making import make_backup
    from llum.bus_address import connected_as

    bus = await connected_as(settings, "operator", "llum-backup")
    try:
        return await make_backup(bus, settings, folder, progress)
    finally:
        await bus.close()


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
