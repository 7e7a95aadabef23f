"""`llum admin rule`: the rules of a person, and those that wait to be activated."""

from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.people.rules import FoundRule


@click.group()
def rule() -> None:
    """The rules in a person's model, and those that wait to be activated.

    \b
    llum admin rule list alice --suspended          read what imported rules would do
    llum admin rule activate alice Work/desk 42     put one of them to work
    """


@rule.command("list")
@click.argument("user")
@click.argument("context", default="")
@click.option("--suspended", is_flag=True, help="Only those that do not fire.")
@json_option
@settings_options(*WHERE)
def list_(settings: Settings, user: str, context: str, suspended: bool, as_json: bool) -> None:
    """List the rules of USER at CONTEXT and below. Without CONTEXT: all of them.

    Of a rule with a schedule it says when it fires next, by the clock of USER.
    """
    from llum.cli import render
    from llum.people.rules import list_rules

    found = with_client(settings, lambda client: list_rules(client, user, context))
    shown = [one for one in found if one.rule.suspended or not suspended]
    text = f"{user} has no such rules"
    if shown:
        text = render.table(("component", "rule", "app", "is", "statement"), map(_row, shown))
    say({"rules": [one._asdict() for one in shown]}, text, as_json=as_json)


@rule.command("activate")
@click.argument("user")
@click.argument("component")
@click.argument("tokens", metavar="[RULE]...", nargs=-1)
@json_option
@settings_options(*WHERE)
def activate(settings: Settings, user: str, component: str, tokens: tuple[str, ...], as_json: bool) -> None:
    """Put suspended rules at COMPONENT of USER to work. Without RULE: all of that component.

    Rules that came with an import wait for this, because somebody else may have written them: read what they do first.
    """
    from llum.people.rules import activate_rules

    active = with_client(settings, lambda client: activate_rules(client, user, component, tokens))
    lines = [f"rule {one.token} is at work now: {one.rule.statement}" for one in active]
    say({"activated": [one._asdict() for one in active]}, "\n".join(lines), as_json=as_json)


def _row(one: "FoundRule") -> tuple[str, ...]:
    from llum.cli import render
    from schemas.app_names import app_name

    state = render.SUSPENSIONS[one.rule.suspended] if one.rule.suspended else "at work"
    if one.fires_next is not None and one.time_zone is not None:
        state = f"fires next at {render.in_zone(one.fires_next, one.time_zone)}"
    return render.path_text(one.path), one.token, app_name(one.rule.app), state, one.rule.statement
