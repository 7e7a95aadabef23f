"""A command on a model, without actors: decided, taken, and the changes given back."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from model.caches import Caches
from model.changes import Change
from model.commands import decide
from model.fold import take_decision
from model.reads import Follow, Followed, Found, Read
from model.stamp import stamp_after
from model.state import Model
from schemas.commands import Command
from tests.driving import run


class Applied(NamedTuple):
    """What came of a command."""

    model: Model | None
    changes: Sequence[Change]
    result: Any


def finds_nothing(need: list[Read] | Follow) -> list[Found] | list[Followed]:
    """Answer reads where nothing is stored."""
    return [] if isinstance(need, Follow) else [Found() for _ in need]


def apply(
    model: Model | None,
    user: str,
    app: str,
    command: Command,
    seq: int,
    time_us: int,
    read: Callable[[list[Read] | Follow], Any] = finds_nothing,
    caches: Caches | None = None,
) -> Applied:
    """Apply a command to a model, which is changed in place. Raises a `Refusal`."""
    caches = Caches() if caches is None else caches
    stamp = stamp_after(model, user, app, seq, time_us)
    decision = run(decide(model, command, stamp, caches.grants, caches.latest), read)
    return Applied(take_decision(model, decision, stamp, caches), decision.changes, decision.result)
