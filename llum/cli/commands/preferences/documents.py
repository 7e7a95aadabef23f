"""`llum preferences load` and `dump`: moving an installation of GPII in and out."""

from collections import Counter
from pathlib import Path

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.progress import Progress
from llum.settings import Settings


@click.command("load")
@click.argument("files", metavar="FILES", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@settings_options(*WHERE)
def load(settings: Settings, files: tuple[Path, ...], as_json: bool) -> None:
    """Load the documents of an installation of GPII: keys, safes, programs, their credentials and tokens.

    Each of FILES is JSON: a list of documents, one document, or what CouchDB gives for `_all_docs?include_docs=true`.
    All are checked before any is stored. What is here already stays as it is.

    If it was interrupted, run it again in the same way: it goes on where it stopped.
    """
    from llum.cli.preferences import loaded
    from llum.preferences.files import read_files
    from llum.preferences.loading import LoadReport, check_safes
    from llum.preferences.loading import load as load_documents

    report = LoadReport(Counter(), Counter())
    try:
        with Progress() as progress:
            documents = read_files(files)
            check_safes(documents, progress)
            with_client(settings, lambda client: load_documents(client, documents, report, progress))
    except KeyboardInterrupt:
        done = f"interrupted after {report.count:,} documents; the same command again goes on with the others"
        raise click.Abort(done) from None
    say(report, loaded(report), as_json=as_json)


@click.command("dump")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@settings_options(*WHERE)
def dump(settings: Settings, file: Path | None, as_json: bool) -> None:
    """Write all keys, safes, programs, credentials and tokens into FILE, as documents of GPII in a JSON list.

    Without FILE: to standard output. Of secrets and tokens there are hashes alone, which `load` takes. The preferences
    of people who have joined a key to their own model stay with them.
    """
    if as_json and file is None:
        raise click.UsageError("with --json name a FILE: without one the documents themselves go to standard output")
    from llum.cli.preferences import counted
    from llum.people.archive_files import written
    from llum.preferences.dumping import dump as dump_documents

    with written(file) as output, Progress() as progress:
        report = with_client(settings, lambda client: dump_documents(client, output.write, progress))
    if report.joined:
        note = f"{report.joined:,} keys are written without a safe: their preferences are in the models of people"
        click.echo(note, err=True)
    if file is not None:
        answer = {"file": str(file), "written": report.written, "joined": report.joined}
        say(answer, f"dumped into {file}: {counted(report.written)}", as_json=as_json)
