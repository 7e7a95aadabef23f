"""What goes by a command and by all that llum itself sends because of it: worked out on a copy of the model.

The command is decided and its changes are taken, as they would be, and so are the further commands by which llum goes
on with a withdrawal. So what is found is what then happens.
"""

from collections import deque
from collections.abc import Generator, Iterable
from typing import Any, Final

import msgspec

from model.caches import Caches
from model.changes import Change, MarkWithdrawn, PutItem, WithdrawFurther
from model.commands import decide
from model.fold import take
from model.permissions import Asker
from model.reads import Follow, Followed, Read, Reading
from model.stamp import stamp_after
from model.state import Model, StoredRule, contexts_below
from schemas.apps import RULES_APP
from schemas.commands import Command, WithdrawFollowing
from schemas.effects import Sent
from schemas.paths import Path

MAX_FURTHER: Final = 20
"""Further commands that are looked at, each of which withdraws up to 1,000 pieces."""

_sent: Final = msgspec.json.Decoder(Sent)


class LeavingPiece(msgspec.Struct, frozen=True, gc=False):
    """Evidence that goes, and where it is."""

    path: Path
    component_no: int
    seq: int
    n: int


class WhatGoes(msgspec.Struct):
    """All that goes."""

    pieces: list[LeavingPiece] = []
    components: list[Path] = []
    rules: list[tuple[Path, StoredRule]] = []
    """With the path of the component, and the token behind it."""
    sent: list[Sent] = []
    """What rules have told other models and called because of what goes."""
    is_all: bool = True
    """False: more follows than is looked at."""


def what_goes(model: Model, command: Command, asker: Asker, last_seq: int) -> Reading[WhatGoes]:
    """Find what goes by a command of the app that asks. The model is a copy, and has taken all of it then.

    Of what follows from evidence only what commands up to `last_seq` have brought counts. Raises what refuses the
    command.
    """
    goes = WhatGoes()
    places = components_of(model)
    by_whom, waiting = asker.app, deque[Command]([command])
    for _ in range(1 + MAX_FURTHER):
        stamp = stamp_after(model, model.user, by_whom, model.seq + 1, round(asker.now * 1e6))
        decision = yield from heard(decide(model, waiting.popleft(), stamp), last_seq, goes.sent)
        note(goes, model, decision.changes, places)
        take(model, decision.changes, stamp, Caches())
        waiting += [_goes_on(one) for one in decision.changes if isinstance(one, WithdrawFurther)]
        if not waiting:
            return goes
        by_whom = RULES_APP
    goes.is_all = False
    return goes


def note(goes: WhatGoes, model: Model, changes: Iterable[Change], places: dict[int, Path]) -> None:
    """Note what changes take out of the model as it is before them."""
    for change in changes:
        if isinstance(change, MarkWithdrawn):
            goes.pieces.append(LeavingPiece(places[change.component_no], change.component_no, change.seq, change.n))
        elif isinstance(change, PutItem) and change.content is None:
            if change.kind == "component":
                goes.components.append(change.path)
            elif change.kind == "rule":
                goes.rules.append((change.path, _rule_at(model, change.path)))


def _goes_on(further: WithdrawFurther) -> WithdrawFollowing:
    """Make the command that goes on with a withdrawal, as the effects stage does."""
    return WithdrawFollowing(id="", origins=list(further.origins), by=further.by)


def heard(
    deciding: Generator[Any, Any, Any], last_seq: int, sent: list[Sent]
) -> Generator[list[Read] | Follow, Any, Any]:
    """Run a decision, and hear what left the model. What has come after `last_seq` counts as if it had gone already."""
    try:
        need = next(deciding)
        while True:
            met = yield need
            if isinstance(need, Follow):
                met = [_as_of(one, last_seq) for one in met]
                sent += [_sent.decode(one.sent) for one in met if one.sent is not None]
            need = deciding.send(met)
    except StopIteration as done:
        return done.value


def _as_of(one: Followed, last_seq: int) -> Followed:
    if one.seq <= last_seq:
        return one
    return msgspec.structs.replace(one, component_no=0, withdrawn=True, sent=None)


def components_of(model: Model) -> dict[int, Path]:
    """Give the paths of all components by their numbers."""
    return {
        context.first + leaf.offset: (*path, name)
        for path, context in contexts_below((), model.root)
        for name, leaf in context.contents.components.items()
    }


def _rule_at(model: Model, path: Path) -> StoredRule:
    *context, name, token = path
    there = model.context(tuple(context))
    assert there is not None, "only what is there is dropped"
    return there.rules[name][token]
