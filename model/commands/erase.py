"""Forgetting all of a model. What is forgotten is not in the past either."""

from model.changes import Change, Decision, ForgetUser, ScheduleDropped
from model.commands.targets import check_owner
from model.stamp import Stamp
from model.state import Model, contexts_below
from schemas.commands import Forget


def forget(model: Model, _command: Forget, stamp: Stamp) -> Decision:
    """Leave nothing of the model. Its schedules are taken down too."""
    check_owner(model, stamp.app, "forget the model")
    changes: list[Change] = [
        ScheduleDropped((*path, name), token)
        for path, context in contexts_below((), model.root)
        for name in sorted(context.rules)
        for token, rule in context.rules[name].items()
        if rule.cron is not None
    ]
    return Decision([*changes, ForgetUser()])
