"""`llum admin person forget`: erase everything of a person."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.progress import Progress
from llum.failures import EXIT_FAILED
from llum.settings import Settings
from schemas.apps import OWNER_APP

if TYPE_CHECKING:
    from llum.client import Client
    from llum.people.forgetter import Counts
    from llum.people.forgetting import Receipt


@click.command("forget")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@click.option("--app", default=OWNER_APP, show_default=True, help="Speak as this owner app of the model.")
@settings_options(*WHERE)
def forget(settings: Settings, user: str, yes: bool, as_json: bool, app: str) -> None:
    """Erase everything of USER for good: model, log, queues, tokens, passwords, spools, log files. Prints a receipt.

    If it was interrupted, or something is left, run it again. The exit code is 1 if something is left, and if there was
    nobody of that name.
    """
    from llum.people.forgetting import Receipt

    question = f"Erase everything of {user} for good? An export would be: llum admin person export"
    if not (yes or click.confirm(question, err=as_json)):
        raise click.ClickException("nothing was erased")
    with Progress() as progress:
        receipt: Receipt = with_client(settings, lambda client: _forget(client, user, settings.data_dir, progress), app)
    say(receipt, in_words(receipt), as_json=as_json)
    if receipt.left.total or not receipt.known:
        raise Exit(EXIT_FAILED)


async def _forget(client: "Client", user: str, data_dir: Path, progress: Progress) -> "Receipt":
    from llum.people.forgetting import forget_person
    from llum.places.telling import tell_all

    receipt = await forget_person(client, user, data_dir, progress)
    told = await tell_all(client.bus, data_dir)
    return msgspec.structs.replace(receipt, backups_told=told.backups, backups_not_told=told.not_told)


def in_words(receipt: "Receipt") -> str:
    """Give the lines of a receipt."""
    lines = [] if receipt.known else [f"there was no model of {receipt.user}: see `llum admin person list`"]
    lines.append(f"erased of {receipt.user}: {_listed(receipt.removed)}")
    lines += [f"not looked at: {what}" for what in receipt.not_looked_at]
    lines += _of_backups(receipt)
    if receipt.in_votes:
        lines.append("the servers of the cluster keep what they have voted on for some minutes more")
    if receipt.left.total:
        who = f" ({', '.join(receipt.told_by)})" if receipt.told_by else ""
        lines.append(f"LEFT: {_listed(receipt.left)}. Stop what tells about {receipt.user}{who}, then do this again.")
    else:
        lines.append("left: nothing")
    return "\n".join(lines)


def _of_backups(receipt: "Receipt") -> list[str]:
    lines = [f"backups that forget this person, too, when they are restored: {len(receipt.backups_told)}"]
    lines += [f"NOT TOLD: {what}" for what in receipt.backups_not_told]
    if receipt.backups_not_told:
        lines.append("name a newer list when you restore these: llum admin restore … --forgotten DATA_FOLDER")
    return lines if receipt.backups_told or receipt.backups_not_told else []


def _listed(counts: "Counts") -> str:
    there = [f"{count} {name.replace('_', ' ')}" for name, count in msgspec.structs.asdict(counts).items() if count]
    return ", ".join(there) or "nothing"
