"""`llum preferences undo`: this machine, as it was before preferences were applied."""

import click

from llum.cli.commands.preferences.targets import Agreement, agreeing_options, target_option


@click.command()
@target_option
@agreeing_options
def undo(target: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Put back what was on this machine before `llum preferences apply`, however often that ran.

    It shows first what would change, and asks. What you have changed since stays as you have it.
    """
    from llum.cli.preference_plans import counted, refused
    from llum.preferences_targets.applying import put_back
    from llum.preferences_targets.keeping import BeforeApply
    from llum.preferences_targets.planning import to_undo
    from llum.preferences_targets.target import target_named

    where, before, agreeing = target_named(target), BeforeApply(target), Agreement(yes, dry_run, as_json)
    plan = to_undo(before.read(), where.read())
    if agreeing.to(plan, "Put it back?"):
        done = put_back(plan, where, before)
        text = f"{counted(len(done.changes), 'was', 'were')} put back{refused(plan, done)}"
        agreeing.report(done, text, done=True)
        return
    # What was kept stays: settings that all look untouched may be those of another desktop.
    nothing = f"nothing to put back: nothing that was applied to {where.title} is still so"
    agreeing.report(plan, "" if plan.changes else nothing, done=False)
