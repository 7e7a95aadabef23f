"""What an app would see under a grant that is not stored: the owner is shown it before they consent.

The command `consent` is decided as it would be, and its changes are taken into a copy of the model's rights. Then the
app asks, under these rights, for each place where it may ask and all contexts below, by the plans and resolvers of
every ask (`model.queries.ask`). So what is shown is what the app then gets.

Only the rights are copied. All asks are planned before the first read, and none looks at the model after that, so
commands may follow meanwhile. Nothing is remembered: the caches are those of this answer alone.
"""

from collections.abc import Generator, Iterator, Sequence
from copy import copy
from typing import Any, Final

import msgspec

from model.caches import Caches
from model.changes import PutItem
from model.commands.consent import consent
from model.fold import evolve
from model.permissions import Asker, denied, grantee_of, is_owner
from model.queries.ask import answer_ask
from model.queries.describe import count_of
from model.queries.past import Then
from model.queries.targets import Target, Targets, find_targets
from model.reads import Found
from model.resolvers.registry import Resolvers
from model.sight import Sight
from model.stamp import stamp_after
from model.state import Model, contexts_below
from schemas.errors import Refusal
from schemas.granting import PreviewedAsk, PreviewedComponent, PreviewGrantReply
from schemas.grants import Consent
from schemas.limits import MAX_REPLY_BYTES
from schemas.paths import Path, split_path
from schemas.queries import Ask, PreviewGrant
from schemas.replies import AskReply
from schemas.slices import Slice
from schemas.slicing import checked

_RIGHTS: Final = frozenset({"app", "permission", "component_permission"})
"""Items that say what apps may do. No other change of a consent matters to what an app sees."""

MAX_ASKS: Final = 1000
"""Contexts and views of which one reply says something."""

_ROOM: Final = MAX_REPLY_BYTES // 2
"""Bytes of components in one reply."""

_ALL: Final = Slice(paths=[""], actions=["ask"])
"""What an owner's app asks."""


_Asked = tuple[str | None, Ask]
"""An ask, and in whose model the rule is that asks it; None: the app itself asks."""


class _Begun(msgspec.Struct):
    """An ask that is planned, and what it waits for; or done, and its reply."""

    shown: PreviewedAsk
    targets: list[Target]
    answering: Generator[Any, Any, AskReply] | None = None
    need: Any = None
    reply: AskReply | None = None


def answer_preview(
    model: Model, _caches: Caches, asker: Asker, query: PreviewGrant, resolvers: Resolvers
) -> Generator[Any, Any, PreviewGrantReply]:
    """Say what the app would see. Raises what refuses the consent."""
    if not asker.is_owner:
        raise denied(asker.app, "see what other apps would get")
    reply = PreviewGrantReply(seq=model.seq, time=_moment(model, asker.now))
    rights = _rights_after(model, query, asker.app, reply.time)
    granted = checked(query.granted, "granted")
    asks = _asks(rights, query.app, [_ALL] if is_owner(rights, query.app) else granted, reply.time)
    begun = list(_begin(rights, query, asks, reply, resolvers))
    yield from _finish(begun, Then(rights, reply.time), reply)
    return reply


def _moment(model: Model, now: float) -> float:
    """Give a moment that is later than all evidence, though the clock that stamped it may be ahead of this one."""
    return max(now, (model.time_us + 1) / 1e6)


def _rights_after(model: Model, query: PreviewGrant, by: str, now: float) -> Model:
    """Give the model with the rights that it will have. All but the rights is shared."""
    command = Consent(id="", app=query.app, decision=query.decision, granted=query.granted, role=query.role)
    stamp = stamp_after(model, model.user, by, model.seq + 1, round(now * 1e6))
    rights = copy(model)
    rights.apps = dict(model.apps)
    rights.permissions = {app: dict(kept) for app, kept in model.permissions.items()}
    rights.component_permissions = {app: dict(kept) for app, kept in model.component_permissions.items()}
    for change in consent(model, command, stamp).changes:
        if isinstance(change, PutItem) and change.kind in _RIGHTS:
            evolve(rights, change, stamp)
    rights.seq, rights.time_us = model.seq, model.time_us
    return rights


def _asks(rights: Model, app: str, granted: Sequence[Slice], now: float) -> Iterator[_Asked]:
    """Give what there is to be asked, each place once: the places of slices, and contexts below that it may know of."""
    seen: set[tuple[Path, str | None, str | None]] = set()
    for one in granted:
        if "ask" not in one.actions:
            continue
        for path in map(split_path, one.paths):
            for at in [path] if one.view else _contexts(rights, app, path, one.whose_rules, now):
                if (at, one.view, one.whose_rules) not in seen:
                    seen.add((at, one.view, one.whose_rules))
                    yield one.whose_rules, Ask(context=list(at), view=one.view)
        for path, names in _by_context(one).items():
            yield one.whose_rules, Ask(context=list(path), view=names)


def _contexts(rights: Model, app: str, path: Path, whose_rules: str | None, now: float) -> Iterator[Path]:
    """Give the context itself, whether or not it is there, and those below that the app may know of."""
    yield path
    context = rights.context(path)
    if context is not None:
        sight = Sight(Asker(grantee_of(app, whose_rules), rights, now))
        yield from (at for at, _ in contexts_below(path, context) if at != path and sight.sees_context(at))


def _by_context(one: Slice) -> dict[Path, list[str | list[str]]]:
    """Give the names of a slice's components by their contexts."""
    names: dict[Path, list[str | list[str]]] = {}
    for path in map(split_path, one.components):
        names.setdefault(path[:-1], []).append(path[-1])
    return names


def _begin(
    rights: Model, query: PreviewGrant, asks: Iterator[_Asked], reply: PreviewGrantReply, resolvers: Resolvers
) -> Iterator[_Begun]:
    """Plan the asks that there is room for, and count the others."""
    room, reply.empty = query.limit, True
    for number, (whose_rules, ask) in enumerate(asks):
        app = Asker(grantee_of(query.app, whose_rules), rights, reply.time)
        view = ask.view if isinstance(ask.view, str | None) else [str(name) for name in ask.view]
        one = _Begun(PreviewedAsk(context=ask.context, view=view, whose_rules=whose_rules), [])
        try:
            found = find_targets(rights, app, ask)
        except Refusal as refusal:
            found = Targets(None, [], [])
            one.shown.error = refusal.error
        beyond = found.found[room:]
        reply.empty &= all(target.grant.since is not None and target.grant.since >= reply.time for target in beyond)
        reply.more_components += len(beyond)
        if number >= MAX_ASKS:
            reply.more_contexts += 1
            continue
        one.shown.more, one.targets = len(beyond), found.found[:room]
        room -= len(one.targets)
        reply.asks.append(one.shown)
        if one.shown.error is None and (one.targets or not beyond):
            whole = ask if not beyond else _of_some(ask, one.targets)
            one.answering = answer_ask(rights, Caches(), app, whole, resolvers)
            _go_on(one, None)
        yield one


def _of_some(ask: Ask, targets: Sequence[Target]) -> Ask:
    return msgspec.structs.replace(ask, view=[[*target.place.path, target.name] for target in targets])


def _go_on(one: _Begun, met: Any) -> None:
    assert one.answering is not None, "what is refused needs nothing"
    try:
        one.need = one.answering.send(met)
    except StopIteration as done:
        one.reply = done.value


def _finish(begun: Sequence[_Begun], then: Then, reply: PreviewGrantReply) -> Generator[Any, Any, None]:
    """Have each ask answered, and list what came of it as far as there is room."""
    room = _ROOM
    for one in begun:
        counts: list[Found] = (yield [count_of(then, target) for target in one.targets]) if one.targets else []
        while one.answering is not None and one.reply is None:
            _go_on(one, (yield one.need))
        pieces = {
            (*target.place.path, target.name): found.count for target, found in zip(one.targets, counts, strict=True)
        }
        reply.empty &= not any(pieces.values())
        for component in _components(one.reply, pieces):
            room -= len(msgspec.json.encode(component))
            if room >= 0:
                one.shown.components.append(component)
            else:
                one.shown.more += 1
                reply.more_components += 1


def _components(reply: AskReply | None, pieces: dict[Path, int]) -> Iterator[PreviewedComponent]:
    if reply is None:
        return
    for answer in reply.components:
        yield PreviewedComponent(
            path=answer.path,
            description=answer.description,
            component_type=answer.component_type,
            value_type=answer.value_type,
            value=answer.value,
            evidence=pieces.get(tuple(answer.path), 0),
        )
    for failure in reply.failures:
        yield PreviewedComponent(path=failure.path, error=failure.error)
