"""`llum admin person export`, `import`: archives of a person."""

from pathlib import Path

import click

from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings


@click.command("export")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@settings_options(*WHERE)
def export(settings: Settings, user: str, file: Path | None) -> None:
    """Write the whole model of USER into an archive: structure, evidence, rules, apps and permissions.

    Without FILE: to standard output.
    """
    from llum.people.archive_files import written
    from llum.people.archives import export_person

    with written(file) as output:
        with_client(settings, lambda client: export_person(client, user, output))
    if file is not None:
        click.echo(f"exported {user} to {file}")


@click.command("import")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path))
@settings_options(*WHERE)
def import_(settings: Settings, user: str, file: Path) -> None:
    """Make the model of USER from the archive FILE.

    If it was interrupted, run it again: it goes on where it stopped.
    """
    from llum.people.archive_files import open_archive
    from llum.people.archives import import_person

    archive = open_archive(file)
    report = with_client(settings, lambda client: import_person(client, user, archive))
    for line in report.skipped:
        click.echo(f"left out: {line}", err=True)
    if report.is_empty:
        click.echo(f"{user} has everything in this archive already")
        return
    click.echo(
        f"{user}: {report.contexts} contexts, {report.components} components, {report.views} views,"
        f" {report.evidence} pieces of evidence, {report.apps} apps, {report.permissions} permissions,"
        f" {report.rules} rules"
    )
