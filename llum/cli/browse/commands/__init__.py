"""The commands of the shell, a module for each section of `help`."""

from typing import Final

from llum.cli.browse.command import BrowseCommand
from llum.cli.browse.commands import apps, files, help, look, make, rules, tell
from llum.cli.browse.table import Table

_MODULES: Final = (look, tell, make, apps, rules, files, help)

TABLE: Final = Table(each for module in _MODULES for each in vars(module).values() if isinstance(each, BrowseCommand))
