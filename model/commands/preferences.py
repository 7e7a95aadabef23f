"""Putting preferences: a body becomes components, all or none, and a safe comes into being with its first body.

What a body says is worked out on sets as they were put; then each view is made to say it, by
`model.commands.view_writing`. What the command does not name stays. Corrections stay, too, and count before all that
is put.
"""

from collections.abc import Iterable
from typing import Any, Final

from model import permissions
from model.changes import Change, Decision, put
from model.checks import check_json
from model.commands.targets import check_may
from model.commands.view_writing import ViewWriter, check_named
from model.fold import evolve
from model.latest import LatestPieces
from model.permissions import KnownGrants
from model.preferences.sets import Tree, filter_preferences, merge_patched, merged_set, sanitised
from model.reads import Reading
from model.safes.assembling import set_of, skeleton_of
from model.safes.forms import FirstValues, SafeForm, form_of, pattern_of, remember, settings_in
from model.safes.places import contexts_of, facts_of, views_of
from model.safes.standing import AsStands, StandingPieces
from model.safes.timestamps import timestamp_of
from model.stamp import Stamp
from model.state import App, Context, ContextItem, Model
from schemas.apps import OWNER_APP, PREFERENCES_APP
from schemas.errors import Code, Refusal
from schemas.missing import right
from schemas.paths import Path, check_path
from schemas.plain_checks import check_text
from schemas.preferences import SAFE_CONTEXT, PutPreferences, SafeFacts

_DEEPEST: Final = 64
"""Levels of a body that are looked into before it is known that it has no more."""

_FACTS: Final = [
    (fact, getattr(SafeFacts(), fact))
    for fact in ("key", "type", "name", "password", "email", "created", "updated", "id", "document")
]
"""Each fact, and what it is if it is not given."""


def put_at_once(
    model: Model, command: PutPreferences, stamp: Stamp, known: KnownGrants | None, latest: LatestPieces | None
) -> Decision | None:
    """Put preferences; None: what stands for some of the settings must be read first."""
    place = _check(model, command, stamp, known)
    standing = _standing(model, place, stamp, latest)
    if standing.reads():
        return None
    return _decided(model, command, place, standing, stamp, known)


def put_preferences(
    model: Model, command: PutPreferences, stamp: Stamp, known: KnownGrants | None, latest: LatestPieces | None
) -> Reading[Decision]:
    """Put preferences, once it has been read what stands for the settings; memory keeps that."""
    place = _check(model, command, stamp, known)
    standing = _standing(model, place, stamp, latest)
    while reads := standing.reads():
        standing.take((yield reads), keep=True)
    return _decided(model, command, place, standing, stamp, known)


def make_safe(command: PutPreferences, stamp: Stamp) -> Decision:
    """Make the model of a safe with its first body. Owners are llum's own app and that of the command line.

    Nobody has tokens for these, so nothing is announced.
    """
    facts, place = command.make, check_path(command.context, "context")
    _check_maker(stamp)
    assert facts is not None, "without facts nothing is made"
    _check_texts(command)
    told = dict(_told_facts(facts))
    form = None if facts.sets or command.mode == "patch" else form_of(place, command.view, tuple(told), command.body)
    decision = None if form is None else _made_alike(command, form, told, stamp)
    if decision is None:
        decision = _made_step_by_step(command, place, facts, told, stamp)
        if form is not None:
            remember(form, decision, stamp)
    return decision


def _made_alike(command: PutPreferences, form: SafeForm, told: Tree, stamp: Stamp) -> Decision | None:
    """Make a safe as others of its form; None: none is remembered, or a value is refused, which is said elsewhere."""
    pattern = pattern_of(form)
    if pattern is None:
        return None
    settings = settings_in(command.body)
    try:
        for value in settings:
            check_json(value, "body")
    except Refusal:
        return None
    values = [*told.values(), *settings, form.skeleton]
    return pattern.decision(FirstValues(values, command.evidence_type, command.comment), stamp)


def _made_step_by_step(command: PutPreferences, place: Path, facts: SafeFacts, told: Tree, stamp: Stamp) -> Decision:
    owners = (PREFERENCES_APP, OWNER_APP)
    changes: list[Change] = [put("model", (), ContextItem(created_us=stamp.time_us))]
    changes += [put("app", (app,), App(role="owner", registration=stamp.seq)) for app in owners]
    model: Model | None = None
    for change in changes:
        model = evolve(model, change, stamp)
    assert model is not None, "it has just been made"
    writer = _writer(model, place, {}, command, stamp, None)
    for fact, value in told.items():
        writer.tell_fact((SAFE_CONTEXT, fact), value)
    if command.body is not None:
        body = _object(command.body, "body")
        writer.write(_view(command), merge_patched({}, body) if command.mode == "patch" else body, "body")
    for view, body in facts.sets.items():
        check_named(view, f"make.sets.{view[:80]}")
        writer.write(view, _object(body, f"make.sets.{view}"), f"make.sets.{view}")
    writer.check_amount()
    return Decision([*changes, *writer.changes], {"made": True})


def _told_facts(facts: SafeFacts) -> Iterable[tuple[str, Any]]:
    """Give what is to be told: a fact that was not given has no component, but for the context itself."""
    for fact, default in _FACTS:
        value = getattr(facts, fact)
        if value != default or fact == "type":
            yield fact, value


def _check(model: Model, command: PutPreferences, stamp: Stamp, known: KnownGrants | None) -> Path:
    """Check what needs nothing of what is stored. Gives the place."""
    place = check_path(command.context, "context")
    if not place:
        raise Refusal(Code.BAD_PATH, "preferences cannot lie at the root", "context", "name a context")
    if command.make is not None:
        _check_maker(stamp)
    _check_texts(command)
    if command.body is not None or command.make is None:
        _object(command.body, "body")
    path = (*place, _view(command))
    if not permissions.is_owner(model, stamp.app):
        _check_rights(model, command, path, stamp, known)
    return place


def _check_rights(model: Model, command: PutPreferences, path: Path, stamp: Stamp, known: KnownGrants | None) -> None:
    """Check that the app may tell all that the body names, also what is as it was: it would learn that it is.

    Whoever replaces all of a view tells what it consists of.
    """
    now = stamp.time_s
    if command.mode == "replace" and not permissions.grant_of(model, stamp.app, path, now, known).tell:
        raise permissions.denied(stamp.app, "tell", "context", right(["tell", "make"], path[:-1]))
    contexts = command.body.get("contexts")
    for name, one in contexts.items() if type(contexts) is dict else ():
        preferences = one.get("preferences") if type(one) is dict else None
        waiting = [((*path, name), preferences)] if type(preferences) is dict else []
        while waiting:
            at, tree = waiting.pop()
            for leaf, value in tree.items():
                if type(value) is dict and value and len(at) < _DEEPEST:
                    waiting.append(((*at, leaf), value))
                else:
                    grant = permissions.grant_at(model, stamp.app, at, leaf, now, known)
                    check_may(grant, stamp.app, "tell", at, leaf)


def _decided(
    model: Model,
    command: PutPreferences,
    place: Path,
    standing: StandingPieces,
    stamp: Stamp,
    known: KnownGrants | None,
) -> Decision:
    facts = facts_of(model, place)
    if facts is not None and _fact(facts, "type", standing) == "snapset":
        hint = "put preferences under another key"
        raise Refusal(Code.READ_ONLY, "these preferences are a snapset, which nobody changes", None, hint)
    result = {"made": False}
    if command.body is None:
        return Decision([], result)
    writer = _writer(model, place, standing.pieces, command, stamp, known)
    views = views_of(model.context(place))
    writer.write(command.view, _wanted(command, views.get(command.view), standing), "body")
    if command.mode != "merge":
        for name, view in views.items():
            if name != command.view:
                _say_once(writer, name, view, command.equivalents.get(name), standing)
    if facts is not None:
        writer.tell_fact((SAFE_CONTEXT, "updated"), timestamp_of(stamp.time_us))
    writer.check_amount()
    return Decision(writer.changes, result)


def _wanted(command: PutPreferences, view: Context | None, standing: StandingPieces) -> Tree:
    """Say what the view is to say. It raises nothing that `write` does not name the place of."""
    if command.mode == "replace":
        wanted = sanitised(command.body)
    elif command.mode == "merge":
        body = sanitised(command.body)
        wanted = body if view is None else merged_set(set_of(view, standing.pieces), body)
    else:
        wanted = sanitised(merge_patched({} if view is None else set_of(view, standing.pieces), command.body))
    tree: Tree = wanted
    return tree


def _say_once(
    writer: ViewWriter, name: str, view: Context, removed: dict[str, Any] | None, standing: StandingPieces
) -> None:
    """Unset in another view what has just been said, and leave out what is empty."""
    skeleton = skeleton_of(view, standing.pieces)
    if not removed and sanitised(skeleton) == skeleton:
        return
    kept = sanitised(set_of(view, standing.pieces))
    contexts = kept.get("contexts")
    for set_id, tree in (removed or {}).items():
        context = contexts.get(set_id) if type(contexts) is dict else None
        if type(context) is dict and type(context.get("preferences")) is dict and type(tree) is dict:
            contexts[set_id] = {**context, "preferences": filter_preferences(context["preferences"], tree)}
    writer.write(name, kept, f"equivalents.{name}")


def _standing(model: Model, place: Path, stamp: Stamp, latest: LatestPieces | None) -> StandingPieces:
    """Find what stands, as of the command's time: an ask may have looked at a later one, by the worker's clock."""
    if latest is not None and latest.judged_at > stamp.time_s:
        latest = None
    facts = facts_of(model, place)
    contexts = [context for _, context in contexts_of(place, model.context(place))]
    if facts is not None:
        contexts.append(facts)
    return StandingPieces(contexts, AsStands(stamp.time_s, model.seq), latest)


def _writer(
    model: Model, place: Path, pieces: Any, command: PutPreferences, stamp: Stamp, known: KnownGrants | None
) -> ViewWriter:
    return ViewWriter(model, place, pieces, stamp, known, command.evidence_type, command.comment)


def _fact(facts: Context, name: str, standing: StandingPieces) -> Any:
    leaf = facts.contents.components.get(name)
    piece = None if leaf is None else standing.pieces.get(facts.first + leaf.offset)
    return None if piece is None else piece.value


def _view(command: PutPreferences) -> str:
    check_named(command.view, "view")
    return command.view


def _object(body: Any, field: str) -> Tree:
    if type(body) is not dict:
        hint = 'send {"contexts": {"gpii-default": {"preferences": {…}}}}'
        raise Refusal(Code.BAD_FIELD, "preferences are a JSON object", field, hint)
    return body


def _check_maker(stamp: Stamp) -> None:
    if stamp.app != PREFERENCES_APP:
        raise permissions.denied(stamp.app, "make the model of a safe", "make")


def _check_texts(command: PutPreferences) -> None:
    if command.comment is not None:
        check_text(command.comment, "comment")
