"""`llum status`."""

import asyncio
import shutil

import click
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options
from llum.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Exit with 1 when llum is not ready, as health checks want it.")
@json_option
@settings_options(*WHERE)
def status(settings: Settings, check: bool, as_json: bool) -> None:
    """Show how llum stands: what runs, what it has stored, how long the disk lasts.

    It works while llum runs and, as far as files tell, while it does not. Not being ready is an answer: without
    --check the exit code is 0.
    """
    from llum.cli.status_screen import screen
    from llum.processes import logs
    from llum.status.looking import look

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
    standing = asyncio.run(look(settings))
    say(standing, screen(standing, shutil.get_terminal_size().columns), as_json=as_json)
    if check and not standing.ready:
        raise Exit(1)
