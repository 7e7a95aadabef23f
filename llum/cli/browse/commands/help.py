"""Commands of the shell itself: help, quit."""

import itertools
from operator import attrgetter
from typing import get_args

import click

from llum.cli.browse import show
from llum.cli.browse.command import COMMAND, BrowseCommand, Section, command
from llum.cli.browse.shell import Quit, Shell
from llum.cli.browse.table import Table

WIDTH = 80
"""Cells that help is laid out for."""


@command("help", "?", "man", section="the shell", example="help tell")
@click.argument("name", metavar="[COMMAND]", type=COMMAND, required=False)
async def help_(shell: Shell, name: str | None) -> None:
    """List the commands, or explain one, with an example."""
    if name is None:
        shell.say(_overview(shell.table))
        return
    found = shell.table.find(name)
    context = click.Context(found, info_name=found.name, obj=shell, terminal_width=WIDTH, **found.context_settings)
    shell.say(found.get_help(context))


@command("quit", "exit", "bye", section="the shell", example="quit")
async def quit_(_shell: Shell) -> None:
    """Leave."""
    raise Quit


def _overview(table: Table) -> str:
    lines = []
    for section, members in itertools.groupby(sorted(table.commands.values(), key=_place), attrgetter("section")):
        lines.append(show.heading(section))
        lines += [f"  {each.name:<13}{each.get_short_help_str(WIDTH - 15)}" for each in members]
    return "\n".join([*lines, "", "help COMMAND explains one, with an example. Put ; between commands."])


def _place(each: BrowseCommand) -> int:
    return get_args(Section).index(each.section)
