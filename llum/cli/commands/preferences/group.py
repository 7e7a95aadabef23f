"""The group of the commands about preferences. What each needs is imported when it runs."""

import click

from llum.cli.commands.preferences.apply import apply
from llum.cli.commands.preferences.capture import capture
from llum.cli.commands.preferences.documents import dump, load
from llum.cli.commands.preferences.keys import revoke, show
from llum.cli.commands.preferences.undo import undo


@click.group()
def preferences() -> None:
    """Take preferences from this machine, set it as a person prefers, and look after those that keys open.

    `load`, `dump`, `show` and `revoke` are for the operator.
    """


preferences.add_command(capture)
preferences.add_command(apply)
preferences.add_command(undo)
preferences.add_command(load)
preferences.add_command(dump)
preferences.add_command(show)
preferences.add_command(revoke)
