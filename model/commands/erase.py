"""Forgetting a model, or a part of it. What is forgotten is not in the past either.

Of a part the model itself knows only what is there now. So it says what is meant, and the store finds it in all that it
keeps; the model is then loaded anew.
"""

from collections.abc import Iterator

from model.changes import Change, Decision, ForgetThePart, ForgetUser, Part, Restated, ScheduleDropped
from model.commands.targets import check_owner
from model.stamp import Stamp
from model.state import Context, Model, contexts_below
from schemas.apps import RESTATING_APP
from schemas.commands import Forget
from schemas.errors import Code, Refusal
from schemas.parts import ForgetPart, Restate
from schemas.paths import check_path, check_segment
from schemas.plain_checks import check_time
from schemas.queries import MeasurePart

_MAX_NUMBER = 2**62

_TIMES = ("accepted_from", "accepted_until", "held_from", "held_until")


def forget(model: Model, _command: Forget, stamp: Stamp) -> Decision:
    """Leave nothing of the model. Its schedules are taken down too."""
    check_owner(model, stamp.app, "forget the model")
    changes: list[Change] = [
        dropped
        for path, context in contexts_below((), model.root)
        for name in sorted(context.rules)
        for dropped in _schedules_dropped(path, context, name)
    ]
    return Decision([*changes, ForgetUser()])


def forget_part(model: Model, command: ForgetPart, stamp: Stamp) -> Decision:
    """Leave nothing of a part of the model. With a component the schedules of its rules go."""
    check_owner(model, stamp.app, "forget a part of the model")
    part = part_of(command)
    dropped: list[Change] = []
    if part.path is not None and part.is_whole_component:
        context = model.context(part.path[:-1])
        if context is not None and part.path[-1] in context.rules:
            dropped = list(_schedules_dropped(part.path[:-1], context, part.path[-1]))
    return Decision([*dropped, ForgetThePart(part)])


def restate(_model: Model | None, _command: Restate, stamp: Stamp) -> Decision:
    """Take what llum itself says anew; there need not be a model any more."""
    if stamp.app != RESTATING_APP:
        raise Refusal(Code.PERMISSION_DENIED, "only llum itself says anew what is left of a person", "verb")
    return Decision([Restated()])


def part_of(named: ForgetPart | MeasurePart) -> Part:
    """Say which part is meant, or raise a refusal: `bad_field` if everything would be meant."""
    path = _path_of(named)
    if named.seq is not None and path is None:
        raise Refusal(Code.BAD_FIELD, "a piece is one of a component", "component", "say which component it is in")
    if named.n is not None and named.seq is None:
        raise Refusal(Code.BAD_FIELD, "n is the number of a piece in a command", "seq", "give seq, too")
    for name, number in (("seq", named.seq), ("n", named.n)):
        if number is not None and not 0 <= number < _MAX_NUMBER:
            raise Refusal(Code.BAD_FIELD, "there is no piece of such a number", name)
    times = {name: getattr(named, name) for name in _TIMES}
    for name, time in times.items():
        if time is not None:
            check_time(time, name)
    part = Part(path=path, seq=named.seq, n=named.n, source=named.source, **times)
    if part == Part():
        hint = "name a component, a piece, an app or a period; the operator forgets a whole person"
        raise Refusal(Code.BAD_FIELD, "it does not say which part is meant", "component", hint)
    return part


def _path_of(named: ForgetPart | MeasurePart) -> tuple[str, ...] | None:
    if named.component is None:
        if named.context is not None:
            raise Refusal(Code.BAD_FIELD, "a part is one of a component, not of a context", "component")
        return None
    return *check_path(named.context or [], "context"), check_segment(named.component, "component")


def _schedules_dropped(path: tuple[str, ...], context: Context, name: str) -> Iterator[ScheduleDropped]:
    for token, rule in context.rules[name].items():
        if rule.cron is not None:
            yield ScheduleDropped((*path, name), token)
