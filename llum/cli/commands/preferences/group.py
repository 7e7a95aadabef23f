"""The group of the commands about preferences. What each needs is imported when it runs."""

import click

from llum.cli.commands.preferences.apply import apply
from llum.cli.commands.preferences.capture import capture
from llum.cli.commands.preferences.undo import undo


@click.group()
def preferences() -> None:
    """A person's preferences: from this machine, and to it."""


preferences.add_command(capture)
preferences.add_command(apply)
preferences.add_command(undo)
