"""The commands that run llum: all of it, or one process of it."""

from pathlib import Path

import click

from llum.commands.options import settings_options
from llum.process import Supervised
from llum.settings import SETTINGS, Settings
