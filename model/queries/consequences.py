"""What would follow if something went: values that change, and what goes with it.

What goes is found as it then happens (`model.queries.what_goes`), on a copy of the model. Values are asked for before
and after, as the app that asks gets them, by the same plans and resolvers as ever; after it they find no evidence that
goes (`model.queries.going`).

An app sees values that it may ask. Of evidence, of rules and of what these have sent it sees its own, an owner's app
all.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from model.caches import Caches
from model.commands import decide
from model.elsewhere import Together
from model.evidence import decode_evidence
from model.permissions import Asker
from model.queries.ask.finish import finish_ask
from model.queries.ask.held import read_behind
from model.queries.ask.plan import plan_ask
from model.queries.going import Going, as_if_gone
from model.queries.what_goes import LeavingPiece, WhatGoes, what_goes
from model.queries.what_is_forgotten import what_is_forgotten
from model.reads import AsOf, Follow, Found, Pause, Read, Reading
from model.resolvers.registry import Resolve, Resolvers
from model.sight import Sight
from model.stamp import stamp_after
from model.state import Model
from schemas.commands import Command
from schemas.consequences import ChangedValue, GoingPiece, GoingRule, ReachedModel, SentNotice, Uncounted
from schemas.effects import Sent
from schemas.errors import Error
from schemas.evidence import CausingPiece, Evidence
from schemas.limits import MAX_REPLY_BYTES
from schemas.parts import ForgetPart
from schemas.paths import Path
from schemas.queries import Ask, Consequences, MayGo
from schemas.replies import AskReply, ComponentAnswer, ConsequencesReply

MAX_CONSEQUENCES: Final = 1000
"""Values that are compared, and things of each kind that are listed, of one answer: nobody reads more."""

_ASKED_AT_ONCE: Final = 32
"""Components of one ask: of each a resolver may read much."""

_READ_AT_ONCE: Final = 32
"""Pieces that are read at once: each may have a megabyte."""

_Need = AsOf | list[Read] | Follow | Pause | Resolve | Together

Listed = Literal["values", "pieces", "rules", "notices", "elsewhere"]

Answered = ComponentAnswer | Error
"""What a component has: its value, or why it has none."""


def answer_consequences(
    model: Model, _caches: Caches, asker: Asker, query: Consequences, resolvers: Resolvers
) -> Generator[_Need, Any, ConsequencesReply]:
    """Say what would follow. Raises what refuses the command.

    All of it is about copies of the model: what is read leads to further looks at a model, and the model itself moves
    on meanwhile.
    """
    _refuse_early(model, query.command, asker)
    seq = model.seq
    before: Model = yield AsOf(user=model.user, seq=seq)
    after: Model = yield AsOf(user=model.user, seq=seq)
    listing = _Listing(seq, Asker(asker.app, before, asker.now))
    goes = yield from _what_goes(after, query.command, Asker(asker.app, after, asker.now), seq)
    _list_rules(goes, listing)
    _list_sent(goes.sent, listing)
    yield from _list_values(before, after, goes, listing, resolvers)
    yield from _list_pieces(goes.pieces, listing)
    if not goes.is_all:
        listing.cut.unseen = True
    return listing.reply


def _refuse_early(model: Model, command: Command, asker: Asker) -> None:
    """Raise what refuses the command before anything is read: for that no model needs to be loaded."""
    stamp = stamp_after(model, model.user, asker.app, model.seq + 1, round(asker.now * 1e6))
    deciding = decide(model, command, stamp)
    next(deciding, None)
    deciding.close()


def _what_goes(model: Model, command: MayGo, asker: Asker, last_seq: int) -> Reading[WhatGoes]:
    if isinstance(command, ForgetPart):
        return (yield from what_is_forgotten(model, command, asker, last_seq))
    return (yield from what_goes(model, command, asker, last_seq))


class _Listing:
    """A reply in the making: what the app may see, as far as there is room."""

    def __init__(self, seq: int, asker: Asker) -> None:
        self.asker = asker
        self.reply = ConsequencesReply(seq=seq)
        self._room = MAX_REPLY_BYTES

    @property
    def cut(self) -> Uncounted:
        """What there is no room for."""
        if self.reply.cut is None:
            self.reply.cut = Uncounted()
        return self.reply.cut

    def add(self, name: Listed, one: Any) -> None:
        """List something, or count it where there is no room."""
        listed = getattr(self.reply, name)
        self._room -= len(msgspec.json.encode(one))
        if self._room < 0 or len(listed) == MAX_CONSEQUENCES:
            self.leave(name, 1)
        else:
            listed.append(one)

    def leave(self, name: Listed, count: int) -> None:
        """Count what there is no room for."""
        if count:
            setattr(self.cut, name, getattr(self.cut, name) + count)

    def shows_of(self, app: str) -> bool:
        """Tell whether the asking app may see evidence and rules of an app."""
        return self.asker.is_owner or self.asker.app == app


def _list_values(
    before: Model, after: Model, goes: WhatGoes, listing: _Listing, resolvers: Resolvers
) -> Generator[_Need, Any, None]:
    """Compare the values of all that is touched, as far as the app may ask it."""
    seq, asker = before.seq, listing.asker
    dropped, sight = set(goes.components), Sight(asker)
    touched = dict.fromkeys([*sorted(dropped), *(piece.path for piece in goes.pieces)])
    seen = [path for path in touched if sight.sees(path[:-1], path[-1])]
    listing.leave("values", len(seen[MAX_CONSEQUENCES:]))
    del seen[MAX_CONSEQUENCES:]
    was = yield from as_if_gone(_values(before, asker, seen, resolvers), {}, seq)
    becomes = yield from as_if_gone(
        _values(after, Asker(asker.app, after, asker.now), seen, resolvers), _going(goes.pieces), seq
    )
    for path in seen:
        changed = _changed(path, was[path], becomes[path], path in dropped)
        if changed is not None:
            listing.add("values", changed)


def _going(pieces: Iterable[LeavingPiece]) -> Going:
    known: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
    for piece in pieces:
        known[piece.component_no].add((piece.seq, piece.n))
    return {number: frozenset(ids) for number, ids in known.items()}


def _values(
    model: Model, asker: Asker, paths: Sequence[Path], resolvers: Resolvers
) -> Generator[_Need, Any, dict[Path, Answered]]:
    """Ask for the values of components, as the app would."""
    values: dict[Path, Answered] = {}
    for at in range(0, len(paths), _ASKED_AT_ONCE):
        query = Ask(view=[list(path) for path in paths[at : at + _ASKED_AT_ONCE]])
        plan = plan_ask(model, asker, query, resolvers, None, None)
        found: list[Found] = (yield plan.reads) if plan.reads else []
        yield from read_behind(plan, found)
        reply: AskReply = (yield from finish_ask(plan, found)) if plan.open else plan.reply
        values |= {tuple(failure.path): failure.error for failure in reply.failures}
        values |= {tuple(answer.path): answer for answer in reply.components}
    return values


def _changed(path: Path, before: Answered, after: Answered, goes: bool) -> ChangedValue | None:
    """Compare what a component has; None: it is the same, and the component stays."""
    value = ChangedValue(
        path=list(path),
        before=before.value if isinstance(before, ComponentAnswer) else None,
        after=after.value if isinstance(after, ComponentAnswer) else None,
        goes=goes,
        error_before=before if isinstance(before, Error) else None,
        error_after=after if isinstance(after, Error) and not goes else None,
    )
    same = _same(value.before, value.after) and value.error_before == value.error_after
    return None if same and not goes else value


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON: to Python, True is 1."""
    return one is other or msgspec.json.encode(one) == msgspec.json.encode(other)


def _list_rules(goes: WhatGoes, listing: _Listing) -> None:
    for path, rule in goes.rules:
        if listing.shows_of(rule.app):
            listing.add("rules", GoingRule(path=list(path[:-1]), token=path[-1], app=rule.app))


def _list_sent(sent: Iterable[Sent], listing: _Listing) -> None:
    for one in sent:
        if not listing.shows_of(one.app):
            continue
        if one.person is None:
            listing.add(
                "notices", SentNotice(app=one.app, rule=one.rule, time=one.time, method=one.method, url=one.url)
            )
        else:
            listing.add(
                "elsewhere",
                ReachedModel(person=one.person, app=one.app, rule=one.rule, time=one.time, path=one.path),
            )


def _list_pieces(pieces: Sequence[LeavingPiece], listing: _Listing) -> Reading[None]:
    """Read what goes, and list what the app may see of it."""
    seq = listing.reply.seq
    for at in range(0, len(pieces), _READ_AT_ONCE):
        if listing.asker.is_owner and len(listing.reply.pieces) == MAX_CONSEQUENCES:
            listing.leave("pieces", len(pieces) - at)
            return
        some = pieces[at : at + _READ_AT_ONCE]
        found = yield [_read_of(piece, seq) for piece in some]
        for piece, one in zip(some, found, strict=True):
            (evidence,) = decode_evidence(one.bodies)
            if listing.shows_of(evidence.source) and listing.asker.is_shown(piece.path, evidence):
                listing.add("pieces", _shown(piece, evidence, listing.asker.is_owner))


def _read_of(piece: LeavingPiece, seq: int) -> Read:
    return Read(component_no=piece.component_no, seq_max=seq, after=(piece.seq, piece.n - 1), limit=1)


def _shown(piece: LeavingPiece, evidence: Evidence, to_owner: bool) -> GoingPiece:
    cause = evidence.cause if to_owner else None
    return GoingPiece(
        path=list(piece.path),
        seq=evidence.seq,
        n=evidence.n,
        value=evidence.value,
        source=evidence.source,
        creation_time=evidence.creation_time,
        rule=evidence.rule,
        cause=None if cause is None else CausingPiece(seq=cause.seq, n=cause.n, person=cause.person),
    )
