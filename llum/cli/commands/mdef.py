"""`llum mdef`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.client import Client


@click.group()
def mdef() -> None:
    """Work with model definition files."""


@mdef.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Read a model definition. Say what it makes, or where it is wrong."""
    from llum.people.mdef_files import read_definition

    definition = read_definition(file)
    components = sum(len(context.components) for context in definition.contexts)
    views = sum(len(context.views) for context in definition.contexts)
    counts = {"contexts": len(definition.contexts), "components": components, "views": views}
    text = f"{file}: {len(definition.contexts)} contexts, {components} components, {views} views"
    say({"file": str(file), **counts}, text, as_json=as_json)


@mdef.command()
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@settings_options(*WHERE)
def apply(settings: Settings, user: str, file: Path, as_json: bool) -> None:
    """Make what the definition FILE names and the model of USER lacks. What is there stays as it is.

    If USER has no model, it is made. Somebody else may have written FILE, so its rules do not fire until you activate
    them (`llum admin rule`).
    """
    from llum.people.mdef_files import read_definition
    from llum.people.mdefs import apply_definition

    definition = read_definition(file)
    made = with_client(settings, lambda client: apply_definition(client, user, definition))
    what = f"{made.contexts} contexts, {made.components} components, {made.views} views"
    text = f"{user} has a model now: {what}" if made.model else f"{user}: made {what}; {made.found} were there"
    if made.rules:
        waiting = "1 rule does" if made.rules == 1 else f"{made.rules} rules do"
        text += f"\n{waiting} not fire yet: see `llum admin rule list {user} --suspended`"
    say(made, text, as_json=as_json)


@mdef.command("export")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@settings_options(*WHERE)
def export_definition(settings: Settings, user: str, file: Path | None, as_json: bool) -> None:
    """Write the model of USER as a definition, without its evidence. Without FILE: to standard output."""
    from model.formats.mdef import format_mdef

    async def use(client: "Client") -> str:
        from llum.people.mdefs import read_model

        return format_mdef(await read_model(client, user))

    text = with_client(settings, use)
    if file is None:
        say({"user": user, "definition": text}, text.removesuffix("\n"), as_json=as_json)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Fault(f"cannot write {file}: {error.strerror or error}") from error
    say({"user": user, "file": str(file)}, f"wrote the definition of {user} to {file}", as_json=as_json)
