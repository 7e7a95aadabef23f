"""`llum preferences capture`: what a person has set on this machine, told to their model."""

import click

from llum.cli.commands.preferences.targets import Exchange, exchanging


@click.command()
@click.option(
    "--all", "also_unset", is_flag=True, help="Also what you have not changed: other machines then get it, too."
)
@exchanging
def capture(exchange: Exchange, also_unset: bool) -> None:
    """Tell the preferences of USER as they are set on this machine.

    It shows first what it would tell, and asks. Only settings are told that USER has changed, that llum knows, and that
    make sense on other machines, too. What is told is evidence of the type implicit: USER has not said it to llum.
    """
    from llum.cli.preference_plans import counted
    from llum.preferences_targets.capturing import tell
    from llum.preferences_targets.planning import to_capture

    ground, agreement, user, set_id = exchange.ground(), exchange.agreement, exchange.user, exchange.set_id
    here, view = ground.target.read(), ground.target.view
    told = exchange.preferred(ground).get(set_id, {})
    plan = to_capture(here, ground.known, told, also_unset=also_unset)
    done = agreement.to(plan, f"Tell this to the model of {user}?", ("in llum", "here"))
    if done:
        changes = [(one.place, one.new) for one in plan.changes]
        exchange.speak(lambda client: tell(client, user, ground.ontologies, view, set_id, changes))
    nothing = "" if plan.changes else f"nothing to tell: {ground.target.title} has nothing that the model has not"
    text = f"{counted(len(plan.changes), 'was', 'were')} told" if done else nothing
    agreement.report(plan, text, done=done)
