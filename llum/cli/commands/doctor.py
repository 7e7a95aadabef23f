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
    from llum.status.doctor import Diagnosis


@click.command()
@json_option
@settings_options(*WHERE)
def doctor(settings: Settings, as_json: bool) -> None:
    """Read the whole log of a running llum and say what it has lost, what was set aside, and what does not answer.

    Its workers read all their shards meanwhile, to find what is not what was written.

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
    from llum.cli.status_screen import aside_in_words

    read = sum(stream.read for stream in diagnosis.streams)
    lines = [f"read {read:,} commands in {len(diagnosis.streams)} streams of the log"]
    lines += [f"FOUND: {finding.what}; {finding.advice}" for finding in diagnosis.findings]
    lines += [f"set aside: {aside_in_words(one)}" for one in diagnosis.aside]
    return [*lines, "nothing is lost, all partitions answer"] if diagnosis.healthy else lines
