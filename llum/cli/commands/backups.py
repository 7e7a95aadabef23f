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
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@settings_options(*WHERE)
def backup(settings: Settings, folder: Path, as_json: bool) -> None:
    """Make a backup of a running llum in FOLDER, which is made, and read it back.

    It holds the log, tokens, passwords, secrets and settings, but no shards: they are made anew from the log, and from
    snapshots where that was cut. Whoever can read it can read everything of everybody.
    """
    _log_errors(settings)
    with Progress() as progress:
        made = asyncio.run(_make(settings, folder, progress))
    say(_summary(folder, made), "\n".join(_in_words(folder, made)), as_json=as_json)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@json_option
@settings_options(*WHERE)
def restore(settings: Settings, folder: Path, as_json: bool) -> None:
    """Restore the backup in FOLDER into a data folder, or the nats-server of `nats_url`, that has no log yet.

    Start llum on it afterwards. Its first start makes the shards anew from the log.
    """
    _log_errors(settings)
    place, is_external = str(settings.data_dir), settings.nats_url is not None
    if settings.nats_url is not None:
        place = hide_password(settings.nats_url)
    with Progress() as progress:
        restore_it = _restore_into if is_external else _restore_here
        restored = asyncio.run(restore_it(settings, folder, progress))
    start = "start its workers and edges" if is_external else f"start it with: llum up --data-dir {place}"
    answer = {
        "data_dir": str(settings.data_dir),
        "nats_url": place if is_external else None,
        "made_at": restored.made_at,
        "commands": restored.commands,
        "losses": restored.losses,
    }
    lines = [f"restored {restored.commands:,} commands into {place}", *_lost(restored), *_since(restored)]
    say(answer, "\n".join([*lines, *_settings_of(restored), start]), as_json=as_json)


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


def _in_words(folder: Path, made: "Manifest") -> list[str]:
    size = f"{made.size / 1e6:,.1f} MB"
    return [f"backup of {made.commands:,} commands in {folder}, {size}, read back", *_lost(made)]


def _lost(manifest: "Manifest") -> list[str]:
    from bus.losses import in_words

    return [f"BUT the log had lost commands before the backup was made: {in_words(one)}" for one in manifest.losses]


def _settings_of(restored: "Manifest") -> list[str]:
    """Settings are not restored, because they belong to a machine; but nobody should have to guess them."""
    changed = {variable(name): value for name, value in restored.settings.items()}
    return [f"it was run with {name}={value}" for name, value in sorted(changed.items())]


def _summary(folder: Path, made: "Manifest") -> dict[str, Any]:
    return {
        "folder": str(folder),
        "commands": made.commands,
        "bytes": made.size,
        "streams": [stream.name for stream in made.streams],
        "losses": made.losses,
    }


def _log_errors(settings: Settings) -> None:
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
