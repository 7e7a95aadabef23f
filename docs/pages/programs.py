"""The pages about what is typed: settings, the command line, the shell."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import click

from llum.cli.browse.command import BrowseCommand
from llum.cli.browse.commands import TABLE
from llum.cli.main import cli
from llum.settings import SETTINGS, option, variable
from llum.settings_file import CONFIG_FILE, CONFIG_VARIABLE
from pages.markdown import code, page, prose, table

_SETTINGS: Final = {option(name) for name in SETTINGS} | {"--config"}


def configuration_page() -> str:
    """Describe the settings."""
    rows = [
        (code(option(name)), code(variable(name)), _default_of(one.default), one.description, one.expected)
        for name, one in SETTINGS.items()
    ]
    return page(
        "Configuration",
        "Set a setting with an option, or an environment variable, or in a TOML file. If there are several, the option "
        "wins over the variable, the variable over the file, and the file over the default.",
        f"The file is `{CONFIG_FILE}` in the folder where you start llum, or the one that `--config` or "
        f"`{CONFIG_VARIABLE}` names. In it, write `_` for `-`: `http_port = 8080`. `llum config` lists every setting, "
        "its value, and where the value comes from.",
        table(("option", "variable", "default", "what", "expected"), rows),
        "**What `sync` promises.** An acknowledged command survives the crash of any process. On a single server it "
        "survives a power cut only with `always`. With a duration, a power cut may lose what was acknowledged in it.",
    )


def _default_of(value: Any) -> str:
    return "none" if value is None else code(str(value))


def cli_page() -> str:
    """Describe every command of `llum`."""
    return page(
        "The command line",
        "`llum COMMAND --help` says the same. Options that are settings are described in "
        "[configuration](configuration.md). Commands find the llum that runs on `--data-dir` (`.llum` if you say "
        "nothing), or the one at `--nats-url`.",
        "A TIME is seconds since 1970, or ISO 8601 such as `2031-05-04T10:00:00Z`. Without a zone it is local time.",
        "Exit codes: 0 done; 1 refused or failed, with one line on stderr; 2 used wrongly; 130 interrupted.",
        *(part for path, command in _leaves("llum", cli) for part in _command(path, command)),
    )


def _leaves(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Give the commands below one, with what is typed for each."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None, "a group has the commands that it lists"
        yield from _leaves(f"{path} {name}", below)


def _command(path: str, command: click.Command) -> Iterator[str]:
    yield f"## {path}"
    yield f"```\n{_usage(path, command)}\n```"
    yield _help(command)
    options = _options(command)
    if rows := [_option(one) for one in options if one.opts[0] not in _SETTINGS]:
        yield table(("option", "what"), rows)
    if names := [code(one.opts[0]) for one in options if one.opts[0] in _SETTINGS]:
        yield f"Settings: {', '.join(names)}."


def _help(command: click.Command) -> str:
    """Give the help; what click must not wrap (it is marked with a backspace) is a block of code."""
    parts = prose(command.help).split("\n\n")
    return "\n\n".join(f"```\n{part[2:]}\n```" if part.startswith("\b\n") else part for part in parts)


def _usage(path: str, command: click.Command) -> str:
    return " ".join([path, *command.collect_usage_pieces(click.Context(command))])


def _options(command: click.Command) -> Sequence[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _option(one: click.Option) -> tuple[str, str]:
    context = click.Context(click.Command("any"))
    record = one.get_help_record(context)
    assert record is not None, "hidden options are left out"
    return code(record[0]), record[1]


def browse_page() -> str:
    """Describe every command of the shell, in the order of its help."""
    sections = groupby(TABLE.commands.values(), lambda each: each.section)
    by_section: dict[str, list[BrowseCommand]] = {}
    for section, members in sections:
        by_section.setdefault(section, []).extend(members)
    return page(
        "The shell: llum browse",
        "`llum browse USER` opens a shell in a person's model. The [tutorial](../tutorials/browse.md) shows how to use "
        "it. `help COMMAND` says the same as this page. In a terminal, the shell asks for what you leave out.",
        *(part for section, members in by_section.items() for part in _section(section, members)),
    )


def _section(title: str, members: Sequence[BrowseCommand]) -> Iterator[str]:
    yield f"## {title.capitalize()}"
    for each in members:
        yield f"### {each.name}"
        yield f"```\n{_usage(str(each.name), each)}\n```"
        yield _help(each)
        if rows := [_option(one) for one in _options(each)]:
            yield table(("option", "what"), rows)
        yield f"Example: {code(each.example)}." + _aliases(each)


def _aliases(each: BrowseCommand) -> str:
    return f" Also called {', '.join(map(code, each.aliases))}." if each.aliases else ""
