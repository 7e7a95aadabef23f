"""`llum preferences apply`: this machine, set as a person prefers it."""

import click

from llum.cli.commands.preferences.targets import Exchange, exchanging


@click.command()
@exchanging
def apply(exchange: Exchange) -> None:
    """Set this machine as USER prefers it, whatever the ontology in which they have said so.

    It shows first what would change, and asks. `llum preferences undo` puts back what was before.
    """
    from llum.cli.preference_plans import counted, refused
    from llum.preferences_targets.applying import applied
    from llum.preferences_targets.capturing import chosen
    from llum.preferences_targets.keeping import BeforeApply
    from llum.preferences_targets.planning import to_apply

    ground, agreement, user = exchange.ground(), exchange.agreement, exchange.user
    here = ground.target.read()
    wanted = chosen(exchange.preferred(ground), exchange.set_id, user)
    plan = to_apply(wanted, here, ground.known, ground.target)
    if not agreement.to(plan, "Set it so?"):
        nothing = f"nothing to set: {ground.target.title} is as {user} prefers it, as far as llum knows"
        agreement.report(plan, "" if plan.changes else nothing, done=False)
        return
    done = applied(plan, ground.target, BeforeApply(exchange.name))
    back = f"; to put it back: llum preferences undo --target {exchange.name}" if done.changes else ""
    text = f"{counted(len(done.changes), 'is', 'are')} set{back}{refused(plan, done)}"
    agreement.report(done, text, done=True)
