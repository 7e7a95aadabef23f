"""`llum admin person export`, `import`: archives of a person."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.parameters import ACCEPT_HELP, Accepting
from llum.cli.progress import Progress
from llum.settings import Settings

if TYPE_CHECKING:
    from model.formats.foreign import Acceptable


@click.command("export")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@settings_options(*WHERE)
def export(settings: Settings, user: str, file: Path | None, as_json: bool) -> None:
    """Write the whole model of USER into an archive: structure, evidence, rules, apps and permissions.

    Without FILE: to standard output.
    """
    if as_json and file is None:
        raise click.UsageError("with --json name a FILE: without one the archive itself goes to standard output")
    from llum.people.archive_files import written
    from llum.people.archives import export_person

    with written(file) as output, Progress() as progress:
        with_client(settings, lambda client: export_person(client, user, output, on_progress=progress))
    if file is not None:
        say({"user": user, "file": str(file)}, f"exported {user} to {file}", as_json=as_json)


@click.command("import")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--accept", type=Accepting(), default="", help=ACCEPT_HELP)
@json_option
@settings_options(*WHERE)
def import_(settings: Settings, user: str, file: Path, accept: "frozenset[Acceptable]", as_json: bool) -> None:
    """Make the model of USER from the archive FILE.

    Somebody else may have written FILE. So its rules do not fire until you activate them (`llum admin rule`), its
    corrections become evidence like any other, and its owner apps come without their rights. --accept takes the last
    two as they are: use it for what you have exported yourself.

    If it was interrupted, run it again in the same way: it goes on where it stopped.
    """
    from llum.people.archive_files import open_archive
    from llum.people.archives import import_person

    archive = open_archive(file)
    with Progress() as progress:
        report = with_client(settings, lambda client: import_person(client, user, archive, accept, progress))
    text = (
        f"{user}: {report.contexts} contexts, {report.components} components, {report.views} views,"
        f" {report.evidence} pieces of evidence, {report.apps} apps, {report.permissions} permissions,"
        f" {report.rules} rules"
    )
    if report.is_empty:
        text = f"{user} has everything in this archive already"
    lines = [*(f"left out: {line}" for line in report.skipped), text, *report.plain]
    if report.rules:
        lines.append(f"the rules do not fire yet: see `llum admin rule list {user} --suspended`")
    say(report, "\n".join(lines), as_json=as_json)
