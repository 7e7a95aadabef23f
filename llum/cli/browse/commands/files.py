"""Commands about files: export, import, do."""

import sys
from pathlib import Path as FilePath
from typing import BinaryIO, Final

import click

from bus.importing import import_below
from llum.cli.browse import importable, lines, show
from llum.cli.browse.command import CONTEXT, FILE, command
from llum.cli.browse.shell import Shell
from llum.cli.parameters import ACCEPT_HELP, Accepting
from llum.failures import Fault
from llum.people.archive_files import written
from llum.people.archives import export_person, told_skipped
from model.formats.foreign import Acceptable
from model.formats.personis import Exporter
from schemas.errors import LlumError
from schemas.paths import Path

MAX_DEPTH: Final = 16
"""Files of commands inside one another: a bound against circles."""

STDOUT: Final = "-"


@command("export", section="files", example="export work.llum Work")
@click.argument("file", type=FILE, required=False)
@click.argument("context", type=CONTEXT, default="")
async def export(shell: Shell, file: str | None, context: Path) -> None:
    """Write a context to a file (-: standard output).

    With everything below it: evidence and rules too. Without CONTEXT: where you are.
    """
    file = file or await shell.dialogue.text("File?")
    if file == STDOUT:
        await _write(shell, sys.stdout.buffer, context)
        sys.stdout.buffer.flush()
        return
    with written(FilePath(file)) as output:
        await _write(shell, output, context)
    shell.say(f"exported {shell.shown(context)} to {file}")


@command("import", section="files", example="import work.llum Old")
@click.argument("file", type=FILE, required=False)
@click.argument("context", type=CONTEXT, default="")
@click.option("--accept", type=Accepting(), default="", help=ACCEPT_HELP)
async def import_(shell: Shell, file: str | None, context: Path, accept: frozenset[Acceptable]) -> None:
    """Put what was exported below a context.

    Without CONTEXT: where you are. What is there stays. Importing again changes nothing. It also reads files of
    the original Personis browser. Rules do not fire until you `activate` them; corrections become evidence like any
    other, unless you accept them.
    """
    file = file or await shell.dialogue.text("File?")
    source = importable.open_source(FilePath(file), Exporter(shell.user, shell.client.app), accept)
    model = shell.client.of(shell.user)
    made = await import_below(model, lambda salt: source.commands(context, salt), [*context, *source.first()])
    for line in (*source.left_out(), *told_skipped(made)):
        shell.say(f"left out: {line}")
    told = show.counted(made.counts)
    shell.say(f"imported {told}" if told else "nothing new: everything in it is here already")
    if made.counts["rules"]:
        shell.say("its rules do not fire yet: read them with listsubs, then activate them")


@command("do", section="files", example="do setup.txt")
@click.argument("file", type=FILE, required=False)
async def do(shell: Shell, file: str | None) -> None:
    """Run the commands in a file.

    Line by line, until one fails. A line that starts with # is a note.
    """
    name = file or await shell.dialogue.text("File?")
    if shell.depth >= MAX_DEPTH:
        raise Fault(f"{name} is not run: {MAX_DEPTH} files run each other already")
    shell.depth += 1
    try:
        for number, line in enumerate(_read(FilePath(name)), 1):
            await _run(shell, line, f"{name}, line {number}")
    finally:
        shell.depth -= 1


async def _write(shell: Shell, output: BinaryIO, context: Path) -> None:
    await export_person(shell.client, shell.user, output, context)


async def _run(shell: Shell, line: str, place: str) -> None:
    """Run a line of a file; what goes wrong is told with its place."""
    try:
        for words in lines.split(line):
            if shell.interactive:
                shell.say(f"{shell.prompt}{line.strip()}")
            await shell.run(words)
    except click.ClickException as error:
        raise click.ClickException(f"{place}: {error.format_message()}") from error
    except LlumError as error:
        raise click.ClickException(f"{place}: {error}") from error


def _read(file: FilePath) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except OSError as error:
        raise Fault(f"cannot read {file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Fault(f"cannot read {file}: it is not UTF-8 text") from error
