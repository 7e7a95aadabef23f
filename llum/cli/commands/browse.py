"""`llum browse`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.failures import EXIT_FAILED
from llum.settings import Settings
from schemas.apps import OWNER_APP

if TYPE_CHECKING:
    from llum.client import Client


@click.command()
@click.argument("user")
@click.option("-c", "lines", multiple=True, help="Run these commands, with ; between them. Repeat it to give more.")
@click.option("--keep-going", is_flag=True, help="If a command fails, run the others all the same.")
@click.option("--app", default=OWNER_APP, show_default=True, help="See the model as this app does.")
@settings_options(*WHERE)
def browse(settings: Settings, user: str, lines: tuple[str, ...], keep_going: bool, app: str) -> None:
    """Open a shell in the model of USER: `ls`, `cd`, `tell`; `help` lists all commands.

    For scripts: give the commands with -c or on standard input. The first one that fails ends the script.
    """

    async def use(client: "Client") -> bool:
        from llum.cli.browse.commands import TABLE
        from llum.cli.browse.shell import Shell, run_lines

        await client.access(user)
        if lines or not sys.stdin.isatty():
            return await run_lines(Shell(client, user, TABLE, color=_color()), lines or sys.stdin, keep_going)
        await _converse(client, user, settings.data_dir)
        return True

    if not with_person(settings, user, use, app):
        raise Exit(EXIT_FAILED)


async def _converse(client: "Client", user: str, data_dir: Path) -> None:
    from llum.cli.browse.commands import TABLE
    from llum.cli.browse.shell import Shell
    from llum.cli.browse.terminal import Person, converse

    await converse(Shell(client, user, TABLE, Person(), _color()), data_dir)


def _color() -> bool | None:
    """Say whether to colour; None: as the output is a terminal or not."""
    return False if os.environ.get("NO_COLOR") else None
