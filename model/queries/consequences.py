"""What would follow if something went: values that change, evidence and rules that go with it.

It is not worked out by other means than what then happens: the command is decided, on a copy of the model, and what it
comes to is taken into the copy. Values are asked for before and after, as the app that asks gets them, by the same
plans and resolvers as ever; after it they find no evidence that goes (`model.queries.going`).

An app sees values that it may ask. Of evidence and rules it sees its own, an owner's app all.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from model.caches import Caches
from model.changes import Change, ItemKind, MarkWithdrawn, PutItem
from model.commands import decide
from model.elsewhere import Together
from model.evidence import decode_evidence
from model.fold import take
from model.permissions import Asker
from model.queries.ask.finish import finish_ask
from model.queries.ask.plan import plan_ask
from model.queries.going import Going, as_if_gone
from model.reads import AsOf, Follow, Found, Pause, Read, Reading
from model.resolvers.registry import Resolve, Resolvers
from model.sight import Sight
from model.stamp import Stamp, stamp_after
from model.state import Model, StoredRule, contexts_below
from schemas.consequences import ChangedValue, GoingPiece, GoingRule, Uncounted
from schemas.errors import Error
from schemas.evidence import Evidence
from schemas.limits import MAX_REPLY_BYTES
from schemas.paths import Path
from schemas.queries import Ask, Consequences
from schemas.replies import AskReply, ComponentAnswer, ConsequencesReply

MAX_CONSEQUENCES: Final = 1000
"""Values that are compared, and pieces and rules that are listed, of one answer: nobody reads more."""

_ASKED_AT_ONCE: Final = 256
"""Components of one ask."""

_READ_AT_ONCE: Final = 32
"""Pieces that are read at once: each may have a megabyte."""

_Need = AsOf | list[Read] | Follow | Pause | Resolve | Together

Listed = Literal["values", "pieces", "rules"]

Answered = ComponentAnswer | Error
"""What a component has: its value, or why it has none."""


class WithdrawnPiece(NamedTuple):
    """Evidence that goes, and where it is."""

    path: Path
    component_no: int
    seq: int
    n: int


def answer_consequences(
    model: Model, _caches: Caches, asker: Asker, query: Consequences, resolvers: Resolvers
) -> Generator[_Need, Any, ConsequencesReply]:
    """Say what would follow. Raises what refuses the command.

    All of it is about a copy of the model: what is read leads to further looks at the model, which moves on meanwhile.
    """
    now: Model | None = yield AsOf(user=model.user, seq=model.seq)
    assert now is not None, "a model that is there has been made"
    asker = Asker(asker.app, now, asker.now)
    stamp = stamp_after(now, now.user, asker.app, now.seq + 1, round(asker.now * 1e6))
    decision = yield from decide(now, query.command, stamp)
    listing = _Listing(now.seq, asker)
    yield from _list_all(now, decision.changes, listing, stamp, resolvers)
    return listing.reply


class _Listing:
    """A reply in the making: what the app may see, as far as there is room."""

    def __init__(self, seq: int, asker: Asker) -> None:
        self.asker = asker
        self.reply = ConsequencesReply(seq=seq)
        self._room = MAX_REPLY_BYTES

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
            self.reply.cut = self.reply.cut or Uncounted()
            setattr(self.reply.cut, name, getattr(self.reply.cut, name) + count)

    def shows_of(self, app: str) -> bool:
        """Tell whether the asking app may see evidence and rules of an app."""
        return self.asker.is_owner or self.asker.app == app


def _list_all(
    now: Model, changes: Sequence[Change], listing: _Listing, stamp: Stamp, resolvers: Resolvers
) -> Generator[_Need, Any, None]:
    """Look at the model before the changes and after them. `now` is the model before, and is changed."""
    seq, asker = now.seq, listing.asker
    pieces = _withdrawn(now, changes)
    dropped = set(_dropped(changes, "component"))
    sight = Sight(asker)
    touched = dict.fromkeys([*sorted(dropped), *(piece.path for piece in pieces)])
    seen = [path for path in touched if sight.sees(path[:-1], path[-1])]
    listing.leave("values", len(seen[MAX_CONSEQUENCES:]))
    del seen[MAX_CONSEQUENCES:]
    before = yield from as_if_gone(_values(now, asker, seen, resolvers), Going({}), seq)
    _list_rules(now, _dropped(changes, "rule"), listing)
    yield from _list_pieces(pieces, seq, listing)
    take(now, changes, stamp, Caches())
    after = yield from as_if_gone(_values(now, asker, seen, resolvers), _going(pieces), seq)
    for path in seen:
        changed = _changed(path, before[path], after[path], path in dropped)
        if changed is not None:
            listing.add("values", changed)


def _withdrawn(model: Model, changes: Iterable[Change]) -> list[WithdrawnPiece]:
    """Say which evidence the changes withdraw, and where it is."""
    marks = [change for change in changes if type(change) is MarkWithdrawn]
    places = _places(model) if marks else {}
    return [WithdrawnPiece(places[one.component_no], one.component_no, one.seq, one.n) for one in marks]


def _places(model: Model) -> dict[int, Path]:
    return {
        context.first + leaf.offset: (*path, name)
        for path, context in contexts_below((), model.root)
        for name, leaf in context.contents.components.items()
    }


def _dropped(changes: Iterable[Change], kind: ItemKind) -> list[Path]:
    items = [change for change in changes if type(change) is PutItem]
    return [item.path for item in items if item.kind == kind and item.content is None]


def _going(pieces: Iterable[WithdrawnPiece]) -> Going:
    known: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
    for piece in pieces:
        known[piece.component_no].add((piece.seq, piece.n))
    return Going({number: frozenset(ids) for number, ids in known.items()})


def _values(
    model: Model, asker: Asker, paths: Sequence[Path], resolvers: Resolvers
) -> Generator[_Need, Any, dict[Path, Answered]]:
    """Ask for the values of components, as the app would."""
    values: dict[Path, Answered] = {}
    for at in range(0, len(paths), _ASKED_AT_ONCE):
        query = Ask(view=[list(path) for path in paths[at : at + _ASKED_AT_ONCE]])
        plan = plan_ask(model, asker, query, resolvers, None, None)
        found: list[Found] = (yield plan.reads) if plan.reads else []
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


def _list_rules(model: Model, dropped: Iterable[Path], listing: _Listing) -> None:
    for path in dropped:
        rule = _rule_at(model, path)
        if listing.shows_of(rule.app):
            listing.add("rules", GoingRule(path=list(path[:-1]), token=path[-1], app=rule.app))


def _rule_at(model: Model, path: Path) -> StoredRule:
    *context, name, token = path
    there = model.context(tuple(context))
    assert there is not None, "only what is there is dropped"
    return there.rules[name][token]


def _list_pieces(pieces: Sequence[WithdrawnPiece], seq: int, listing: _Listing) -> Reading[None]:
    """Read what goes, and list what the app may see of it."""
    for at in range(0, len(pieces), _READ_AT_ONCE):
        some = pieces[at : at + _READ_AT_ONCE]
        found = yield [_read_of(piece, seq) for piece in some]
        for piece, one in zip(some, found, strict=True):
            (evidence,) = decode_evidence(one.bodies)
            if listing.shows_of(evidence.source):
                listing.add("pieces", _shown(piece, evidence))


def _read_of(piece: WithdrawnPiece, seq: int) -> Read:
    return Read(component_no=piece.component_no, seq_max=seq, after=(piece.seq, piece.n - 1), limit=1)


def _shown(piece: WithdrawnPiece, evidence: Evidence) -> GoingPiece:
    return GoingPiece(
        path=list(piece.path),
        seq=evidence.seq,
        n=evidence.n,
        value=evidence.value,
        source=evidence.source,
        creation_time=evidence.creation_time,
        rule=evidence.rule,
    )
