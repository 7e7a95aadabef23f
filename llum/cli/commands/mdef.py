"""`llum mdef`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

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
def check(file: Path) -> None:
    """Read a model definition. Say what it makes, or where it is wrong."""
    from llum.people.mdef_files import read_definition

    definition = read_definition(file)
    components = sum(len(context.components) for context in definition.contexts)
    views = sum(len(context.views) for context in definition.contexts)
    click.echo(f"{file}: {len(definition.contexts)} contexts, {components} components, {views} views")


@mdef.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--user", required=True, help="Whose model. If there is none, it is made.")
@settings_options(*WHERE)
def apply(settings: Settings, file: Path, user: str) -> None:
    """Make what a model definition names and the model of a person does not have. What is there stays as it is.

    Somebody else may have written FILE, so its rules do not fire until you activate them (`llum admin rule`).
    """
    from llum.people.mdef_files import read_definition

    definition = read_definition(file)

    async def use(client: "Client") -> str:
        from llum.people.mdefs import apply_definition

        made = await apply_definition(client, user, definition)
        what = f"{made.contexts} contexts, {made.components} components, {made.views} views"
        done = f"{user} has a model now: {what}" if made.model else f"{user}: made {what}; {made.found} were there"
        hint = f"{made.rules} rules do not fire yet: see `llum admin rule list {user} --suspended`"
        return f"{done}\n{hint}" if made.rules else done

    click.echo(with_client(settings, use))


@mdef.command("export")
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@settings_options(*WHERE)
def export_definition(settings: Settings, user: str, file: Path | None) -> None:
    """Write the model of USER as a definition, without its evidence. Without FILE: to standard output."""
    from model.formats.mdef import format_mdef

    async def use(client: "Client") -> str:
        from llum.people.mdefs import read_model

        return format_mdef(await read_model(client, user))

    text = with_client(settings, use)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Fault(f"cannot write {file}: {error.strerror or error}") from error
    click.echo(f"wrote the definition of {user} to {file}")
