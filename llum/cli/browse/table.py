"""The commands by name."""

from functools import cache

import click

from llum.cli.browse import carrying, granting, helping, making, ruling, telling, walking
from llum.cli.browse.command import BrowseCommand

MODULES = (walking, telling, making, granting, ruling, carrying, helping)


@cache
def commands() -> dict[str, BrowseCommand]:
    """Give the commands by their own names, in the order in which they are shown."""
    found = [each for module in MODULES for each in vars(module).values() if isinstance(each, BrowseCommand)]
    return {str(each.name): each for each in found}


@cache
def by_any_name() -> dict[str, BrowseCommand]:
    """Give the commands by all their names."""
    return {name: each for each in commands().values() for name in (str(each.name), *each.aliases)}


def find(name: str) -> BrowseCommand:
    """Give a command, or raise a `click.UsageError` that names what was perhaps meant."""
    from difflib import get_close_matches

    if found := by_any_name().get(name):
        return found
    near = get_close_matches(name, by_any_name(), 1)
    raise click.UsageError(f"there is no command {name!r}. {f'Did you mean {near[0]}?' if near else 'Try `help`'}")
