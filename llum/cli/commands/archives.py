"""`llum admin person export`, `import`: archives of a person."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.failures import Fault
from llum.settings import Settings


@click.command("export")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@settings_options(*WHERE)
def export(settings: Settings, user: str, file: Path | None) -> None:
    """Write the whole model of USER into an archive: structure, evidence, rules, apps and permissions.

    Without FILE: to standard output.
    """
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


@contextlib.contextmanager
def written(file: Path | None) -> Iterator[BinaryIO]:
    """Open a file that is there only when it is complete. For its owner's eyes only: it holds a whole person."""
    if file is None:
        yield sys.stdout.buffer
        return
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
            yield output
        fresh.replace(file)
    except OSError as error:
        raise Fault(f"cannot write {file}: {error.strerror or error}") from error
    finally:
        fresh.unlink(missing_ok=True)
