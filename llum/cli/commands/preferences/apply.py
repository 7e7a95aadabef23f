"""`llum preferences apply`: this machine, set as a person prefers it."""

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
@set_option
@agreeing_options
@at_option
@json_option
@settings_options(*WHERE, "ontologies")
def apply(
    settings: Settings,
    user: str,
    target: str,
    set_id: str,
    yes: bool,
    dry_run: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Set this machine as USER prefers it, whatever the ontology in which they have said so.

    It shows first what would change, and asks. `llum preferences undo` puts back what was before.
    """
    from llum.cli.preference_plans import counted, refused
    from llum.preferences_targets.applying import applied
    from llum.preferences_targets.capturing import chosen, preferred
    from llum.preferences_targets.keeping import BeforeApply
    from llum.preferences_targets.planning import to_apply

    ground, agreeing = ground_of(settings, target), Agreement(yes, dry_run, as_json)
    here = ground.target.read()

    async def look(client: "Client") -> dict[str, dict[str, Any]]:
        return await preferred(client, user, ground.installed.ontologies, ground.target.view)

    wanted = chosen(with_speaker(settings, user, at, look), set_id, user)
    plan = to_apply(wanted, here, ground.known, ground.target)
    if not agreeing.to(plan, "Set it so?"):
        nothing = f"nothing to set: {ground.target.title} is as {user} prefers it, as far as llum knows"
        agreeing.report(plan, "" if plan.changes else nothing, done=False)
        return
    done = applied(plan, ground.target, BeforeApply(target))
    back = f"; to put it back: llum preferences undo --target {target}" if done.changes else ""
    text = f"{counted(len(done.changes), 'is', 'are')} set{back}{refused(plan, done)}"
    agreeing.report(done, text, done=True)
