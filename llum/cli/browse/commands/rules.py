"""Commands about rules: subscribe, listsubs, delsub, activate."""

import click

from bus.as_app import new_id
from llum.cli.browse import show
from llum.cli.browse.command import ANYTHING, COMPONENT, command
from llum.cli.browse.shell import Shell, parted
from schemas.commands import ActivateRule, DeleteRule, MakeRule
from schemas.errors import Code, Refusal
from schemas.paths import Path
from schemas.queries import ListRules
from schemas.replies import RulesReply


@command(
    "subscribe",
    section="rules",
    example="""subscribe desk '<./Work/desk> ~ "yes" : TELL ./Work/state, inferred:"busy"'""",
)
@click.argument("component", type=COMPONENT, required=False)
@click.argument("statement", required=False)
async def subscribe(shell: Shell, component: Path | None, statement: str | None) -> None:
    """Attach a rule to a component.

    It runs at each tell to the component, or on its schedule.

    \b
    ["minute hour day month weekday"] ITEM ~ PATTERN : TELL PATH, TYPE:ITEM
                                                     : TELLCHANGED PATH, TYPE:ITEM
                                                     : NOTIFY ITEM ITEM …
    """
    context, name = parted(await shell.needed(component, "Component?"))
    statement = await shell.dialogue.text("Rule?") if statement is None else statement
    outcome = await shell.send(MakeRule(id=new_id(), context=context, component=name, statement=statement))
    shell.say(f"rule {outcome.result} watches {shell.shown([*context, name])} now")


@command("listsubs", "showsubs", section="rules", example="listsubs Work")
@click.argument("path", type=ANYTHING, default="")
async def listsubs(shell: Shell, path: Path) -> None:
    """List the rules of a component or context."""
    if await shell.is_context(path):
        query = ListRules(context=list(path))
    else:
        context, name = parted(path)
        query = ListRules(context=context, component=name)
    found = (await shell.query(query, RulesReply)).rules
    shell.say(show.all_rules(found, shell.width) if found else f"there are no rules at {shell.shown(path)}")


@command("delsub", "rmsub", "unsubscribe", section="rules", example="delsub desk 42")
@click.argument("component", type=COMPONENT, required=False)
@click.argument("rule", required=False)
async def delsub(shell: Shell, component: Path | None, rule: str | None) -> None:
    """Remove a rule from a component.

    `listsubs` shows the names of the rules.
    """
    context, name, rule = await _chosen(shell, component, rule)
    await shell.send(DeleteRule(id=new_id(), context=context, component=name, token=rule))
    shell.say(f"removed the rule {rule}")


@command("activate", section="rules", example="activate desk 42")
@click.argument("component", type=COMPONENT, required=False)
@click.argument("rule", required=False)
async def activate(shell: Shell, component: Path | None, rule: str | None) -> None:
    """Put a suspended rule to work.

    Rules that came with an import wait for that: read what they do first. `listsubs` shows them.
    """
    context, name, rule = await _chosen(shell, component, rule)
    await shell.send(ActivateRule(id=new_id(), context=context, component=name, token=rule))
    shell.say(f"the rule {rule} is at work now")


async def _chosen(shell: Shell, component: Path | None, rule: str | None) -> tuple[list[str], str, str]:
    """Give the context, the component and the rule; without a rule, show them and ask which."""
    component = await shell.needed(component, "Component?")
    context, name = parted(component)
    if rule is None:
        rules = (await shell.query(ListRules(context=context, component=name), RulesReply)).rules.get(name, {})
        if not rules:
            raise Refusal(Code.NO_SUCH_RULE, f"{shell.shown(component)} has no rules", "token")
        shell.say(show.rules(rules, shell.width))
        rule = await shell.dialogue.text("Which rule?")
    return context, name, rule
