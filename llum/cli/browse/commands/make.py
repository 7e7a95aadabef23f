"""Commands that make, delete and set: mkcontext, mkcomponent, mkview, del…, setresolver, setgoals, resolvers."""

from typing import get_args

import click

from bus.as_app import new_id
from llum.cli.browse import show
from llum.cli.browse.command import ANYTHING, COMPONENT, CONTEXT, RESOLVER, VIEW, command, names
from llum.cli.browse.shell import Shell, parted
from llum.cli.browse.sure import check_sure
from schemas.commands import (
    DeleteComponent,
    DeleteContext,
    DeleteView,
    MakeComponent,
    MakeContext,
    MakeView,
    SetGoals,
    SetResolver,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.evidence import ComponentType, ValueType
from schemas.paths import Path
from schemas.queries import ListResolvers
from schemas.replies import ResolversReply

SURE = click.option("-y", "--yes", "sure", is_flag=True, help="Do not ask whether you are sure.")


@command("mkcontext", "mkdir", section="make and delete", example='mkcontext Work "What I do for a living"')
@click.argument("context", type=CONTEXT, required=False)
@click.argument("description", required=False)
@click.option("--resolver", type=RESOLVER, help="The resolver of its components that have none of their own.")
async def mkcontext(shell: Shell, context: Path | None, description: str | None, resolver: str | None) -> None:
    """Make a context."""
    above, name = parted(await shell.needed(context, "Context?"))
    description = await _described(shell, description)
    await shell.send(MakeContext(id=new_id(), context=above, name=name, description=description, resolver=resolver))
    shell.say(f"made the context {shell.shown([*above, name])}")


@command(
    "mkcomponent", section="make and delete", example='mkcomponent mood "How I am" --value-type enum --values good,bad'
)
@click.argument("component", type=COMPONENT, required=False)
@click.argument("description", required=False)
@click.option("--type", "component_type", type=click.Choice(get_args(ComponentType)), help="Default: attribute.")
@click.option("--value-type", type=click.Choice(get_args(ValueType)), help="Default: string.")
@click.option("--values", help="The values of an enum, with commas between them.")
@click.option("--resolver", type=RESOLVER, help="How evidence becomes a value.")
async def mkcomponent(
    shell: Shell,
    component: Path | None,
    description: str | None,
    component_type: ComponentType | None,
    value_type: ValueType | None,
    values: str | None,
    resolver: str | None,
) -> None:
    """Make a component."""
    context, name = parted(await shell.needed(component, "Component?"))
    if description is None:
        description = await _described(shell, description)
        types = get_args(ComponentType)
        component_type = component_type or await shell.dialogue.choice("Component type?", types, "attribute")
        value_type = value_type or await shell.dialogue.choice("Value type?", get_args(ValueType), "string")
    if value_type == "enum" and values is None:
        values = await shell.dialogue.text("Values, with commas between?")
    definition = ComponentDefinition(
        name=name,
        description=description,
        component_type=component_type or "attribute",
        value_type=value_type or "string",
        value_list=names(values) or [],
        resolver=resolver,
    )
    await shell.send(MakeComponent(id=new_id(), context=context, component=definition))
    shell.say(f"made the component {shell.shown([*context, name])}")


@command("mkview", section="make and delete", example="mkview fullname firstname lastname ../Work/title")
@click.argument("view", type=VIEW, required=False)
@click.argument("components", type=COMPONENT, nargs=-1)
async def mkview(shell: Shell, view: Path | None, components: tuple[Path, ...]) -> None:
    """Make or replace a view.

    A view is a list of components, from here or elsewhere, with a name.
    """
    context, name = parted(await shell.needed(view, "View?"))
    if not components:
        components = tuple(map(shell.resolve, (await shell.dialogue.text("Components?")).split()))
    items = [path[-1] if list(path[:-1]) == context else list(path) for path in components if path]
    await shell.send(MakeView(id=new_id(), context=context, view=ViewDefinition(name=name, components=items)))
    shell.say(f"made the view {shell.shown([*context, name])}")


@command("delcontext", "rmcontext", "rmdir", section="make and delete", example="delcontext Work/Old")
@click.argument("context", type=CONTEXT, required=False)
@SURE
async def delcontext(shell: Shell, context: Path | None, sure: bool) -> None:
    """Delete a context with everything below it."""
    path = await shell.needed(context, "Context?")
    deletion = DeleteContext(id=new_id(), context=list(path))
    if not sure:
        await check_sure(shell, deletion, f"Delete {shell.shown(path)} with everything below it?")
    await shell.send(deletion)
    if shell.path[: len(path)] == path:
        shell.path = path[:-1]
    shell.say(f"deleted the context {shell.shown(path)}")


@command("delcomponent", "rmcomponent", "rm", section="make and delete", example="delcomponent Work/title")
@click.argument("component", type=COMPONENT, required=False)
@SURE
async def delcomponent(shell: Shell, component: Path | None, sure: bool) -> None:
    """Delete a component with its evidence and rules."""
    context, name = parted(await shell.needed(component, "Component?"))
    path = shell.shown([*context, name])
    deletion = DeleteComponent(id=new_id(), context=context, component=name)
    if not sure:
        await check_sure(shell, deletion, f"Delete {path} with its evidence?")
    await shell.send(deletion)
    shell.say(f"deleted the component {path}")


@command("delview", "rmview", section="make and delete", example="delview fullname")
@click.argument("view", type=VIEW, required=False)
async def delview(shell: Shell, view: Path | None) -> None:
    """Delete a view. Its components stay."""
    context, name = parted(await shell.needed(view, "View?"))
    await shell.send(DeleteView(id=new_id(), context=context, view=name))
    shell.say(f"deleted the view {shell.shown([*context, name])}")


@command("setresolver", section="decide how", example="setresolver steps mean")
@click.argument("path", type=ANYTHING, required=False)
@click.argument("resolver", type=RESOLVER, required=False)
@click.option("--none", "unset", is_flag=True, help="Set none. Then the resolver of a context above counts.")
async def setresolver(shell: Shell, path: Path | None, resolver: str | None, unset: bool) -> None:
    """Set how evidence becomes a value.

    For a component, or for a context and all in it.
    """
    path = await shell.needed(path, "Component or context?")
    if resolver is None and not unset:
        resolver = await shell.dialogue.text("Resolver?")
    if not path or await shell.is_context(path):
        command = SetResolver(id=new_id(), context=list(path), resolver=resolver)
    else:
        context, name = parted(path)
        command = SetResolver(id=new_id(), context=context, component=name, resolver=resolver)
    await shell.send(command)
    shell.say(f"{shell.shown(path)} has {f'the resolver {resolver}' if resolver else 'no resolver of its own'} now")


@command("resolvers", "getresolvers", section="decide how", example="resolvers")
async def resolvers(shell: Shell) -> None:
    """List all resolvers."""
    shell.say(show.named((await shell.query(ListResolvers(), ResolversReply)).resolvers, "resolver", shell.width))


@command("setgoals", section="decide how", example="setgoals steps /Goals/Health/move")
@click.argument("component", type=COMPONENT, required=False)
@click.argument("goals", type=COMPONENT, nargs=-1)
@click.option("--none", "unset", is_flag=True, help="It serves no component any more.")
async def setgoals(shell: Shell, component: Path | None, goals: tuple[Path, ...], unset: bool) -> None:
    """Say which components a component serves."""
    component = await shell.needed(component, "Component?")
    if not (goals or unset):
        goals = tuple(map(shell.resolve, (await shell.dialogue.text("Goals?")).split()))
    context, name = parted(component)
    await shell.send(SetGoals(id=new_id(), context=context, component=name, goals=[list(goal) for goal in goals]))
    served = ", ".join(map(shell.shown, goals)) or "nothing"
    shell.say(f"{shell.shown(component)} serves {served} now")


async def _described(shell: Shell, description: str | None) -> str:
    return await shell.dialogue.text("Description?", "") if description is None else description
