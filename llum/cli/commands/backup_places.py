"""`llum admin backups`."""

from typing import TYPE_CHECKING

import click
import msgspec

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.backup_places import BackupPlace
    from llum.client import Client


@click.command()
@click.option("--drop", metavar="PLACE", help="Tell this one no more: it is gone for good.")
@json_option
@settings_options(*WHERE)
def backups(settings: Settings, drop: str | None, as_json: bool) -> None:
    """List where backups are, as far as llum knows: each is told of who is forgotten later.

    One whose machine or object store is gone for good is named by every receipt, until it is dropped here. That deletes
    no backup. If it is restored one day all the same, name a newer list with --forgotten.
    """
    from llum.places.telling import drop_place, known_places

    async def use(client: "Client") -> "list[BackupPlace]":
        return await (known_places(client.bus) if drop is None else drop_place(client.bus, drop))

    found = with_client(settings, use)
    lines = [f"{one.where} on {one.host}" if one.host else one.where for one in found]
    if drop is not None:
        lines = [f"not told any more: {line}" for line in lines]
    shown = [msgspec.to_builtins(one) for one in found]
    say({"backups" if drop is None else "dropped": shown}, "\n".join(lines) or "no backups are known", as_json=as_json)
