"""Commands by name."""

from collections.abc import Iterable

import click

from llum.cli.browse.command import BrowseCommand


class Table:
    """Commands, in the order in which they are shown."""

    def __init__(self, commands: Iterable[BrowseCommand]) -> None:
        self.commands = {str(each.name): each for each in commands}
        """By their own names."""
        self.by_any_name = {name: each for each in self.commands.values() for name in (str(each.name), *each.aliases)}

    def find(self, name: str) -> BrowseCommand:
        """Give a command, or raise a `click.UsageError` that names what was perhaps meant."""
        from llum.people.nearest import nearest

        if found := self.by_any_name.get(name):
            return found
        near = nearest(name, self.by_any_name)
        hint = f"Did you mean {near}?" if near else "Try `help`"
        raise click.UsageError(f"there is no command {name!r}. {hint}")
