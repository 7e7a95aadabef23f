"""`llum doctor`."""

import asyncio
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options
from llum.cli.progress import Progress
from llum.failures import EXIT_FAILED
from llum.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llum.status.doctor import Diagnosis
    from llum.status.findings import Finding


@click.command()
@json_option
@settings_options(*WHERE)
def doctor(settings: Settings, as_json: bool) -> None:
    """Look for what operators get wrong most often, and say what to do about each.

    It reads the whole log, too, and says what it has lost, what was set aside, and what does not answer. Workers read
    all their shards meanwhile, to find what is not what was written.

    The exit code is 1 if anything was found. A million commands take about ten seconds.
    """
    from llum.processes import logs
    from llum.status.doctor import examine

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
    with Progress() as progress:
        diagnosis = asyncio.run(examine(settings, progress))
    say(diagnosis, "\n".join(_in_words(diagnosis)), as_json=as_json)
    if not diagnosis.healthy:
        raise Exit(EXIT_FAILED)


def _in_words(diagnosis: "Diagnosis") -> list[str]:
    from llum.cli.layout import terminal_width
    from llum.cli.status_screen import aside_in_words

    read, width = sum(stream.read for stream in diagnosis.streams), terminal_width()
    lines = [f"read {read:,} commands in {len(diagnosis.streams)} streams of the log"] if diagnosis.streams else []
    lines += [line for finding in diagnosis.findings for line in _of_finding(finding, width)]
    lines += [f"set aside: {aside_in_words(one)}" for one in diagnosis.aside]
    return [*lines, "nothing is lost, all partitions answer"] if diagnosis.healthy else lines


def _of_finding(finding: "Finding", width: int | None) -> "Iterator[str]":
    """Say what is wrong, and below it what to do."""
    from llum.cli.status_screen import wrapped

    yield from wrapped(finding.what, width, "FOUND: ", "       ")
    yield from wrapped(finding.advice, width, "   fix: ", "       ")
