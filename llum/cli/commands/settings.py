"""`llum config`."""

from pathlib import Path
from typing import Any

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import with_settings_options
from llum.cli.render import table
from llum.settings import SETTINGS, hide_password, option, variable
from llum.settings_loading import Sourced, load_with_origins


@click.command()
@json_option
@with_settings_options(tuple(SETTINGS))
def config(as_json: bool, config_file: Path | None, **options: Any) -> None:
    """List every setting, its value and where the value comes from.

    An option wins over the environment variable, the variable over the TOML file, and the file over the default. The
    file is llum.toml in this folder, or what --config or LLUM_CONFIG names.
    """
    sourced = load_with_origins(options, config_file)
    rows = [(name, _shown(one.value), _origin(one), SETTINGS[name].description) for name, one in sourced.items()]
    members = {name: _member(name, sourced[name]) for name in SETTINGS}
    say(members, table(("setting", "value", "from", "what it is"), rows), as_json=as_json)


def _member(name: str, one: Sourced) -> dict[str, Any]:
    setting = SETTINGS[name]
    return {
        "value": None if one.value is None else one.value if isinstance(one.value, int) else _shown(one.value),
        "origin": one.origin,
        "place": one.place,
        "option": option(name),
        "variable": variable(name),
        "description": setting.description,
        "expected": setting.expected,
    }


def _shown(value: Any) -> str:
    return "" if value is None else hide_password(str(value))


def _origin(one: Sourced) -> str:
    return one.place or "default"
