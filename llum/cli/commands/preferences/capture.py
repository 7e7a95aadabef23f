"""`llum preferences capture`: what a person has set on this machine, told to their model."""

from typing import TYPE_CHECKING, Any

import click

from llum.cli.answers import json_option
from llum.cli.commands.options import WHERE, settings_options
from llum.cli.commands.preferences.targets import (
    Agreement,
    agreeing_options,
    at_option,
    ground_of,
    set_option,
    target_option,
    with_speaker,
)
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.client import Client


@click.command()
@click.argument("user")
@target_option
@click.option("--all", "also_unset", is_flag=True, help="Also what is as the desktop came: then it stays so elsewhere.")
@set_option
@agreeing_options
@at_option
@json_option
@settings_options(*WHERE, "ontologies")
def capture(
    settings: Settings,
    user: str,
    target: str,
    also_unset: bool,
    set_id: str,
    yes: bool,
    dry_run: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Tell the preferences of USER as they are set on this machine.

    It shows first what it would tell, and asks. Only settings are told that USER has changed, that llum knows, and that
    make sense on other machines, too. What is told is evidence of the type implicit: USER has not said it to llum.
    """
    from llum.cli.preference_plans import counted
    from llum.preferences_targets.capturing import preferred, tell
    from llum.preferences_targets.planning import to_capture

    ground, agreeing = ground_of(settings, target), Agreement(yes, dry_run, as_json)
    here, ontologies = ground.target.read(), ground.installed.ontologies

    async def look(client: "Client") -> dict[str, dict[str, Any]]:
        return await preferred(client, user, ontologies, ground.target.view)

    told = with_speaker(settings, user, at, look).get(set_id, {})
    plan = to_capture(here, ground.known, told, also_unset=also_unset)
    done = agreeing.to(plan, f"Tell this to the model of {user}?", ("in llum", "here"))
    if done:
        changes = [(one.place, one.new) for one in plan.changes]
        with_speaker(
            settings, user, at, lambda client: tell(client, user, ontologies, ground.target.view, set_id, changes)
        )
    nothing = "" if plan.changes else f"nothing to tell: {ground.target.title} has nothing that the model has not"
    text = f"{counted(len(plan.changes), 'was', 'were')} told" if done else nothing
    agreeing.report(plan, text, done=done)
