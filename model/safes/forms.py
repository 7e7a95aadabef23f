"""Safes of one form: made of bodies that name the same settings, they differ in values, numbers and times alone.

What they have in common is worked out once, from one that was made step by step. Devices of one kind send the same
settings for each person, so forms come again. With and without this all is the same.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from model.caches import Caches
from model.changes import Change, Decision, PutItem, add, put
from model.fold import take
from model.sharing import remembered
from model.stamp import Stamp
from model.state import NUMBERS_PER_COMMAND, App, Component, Context, ContextItem, Model
from schemas.evidence import Evidence, EvidenceType
from schemas.paths import Path

MAX_FORMS: Final = 64
"""Forms that are remembered: about 5 kB each for ten settings."""

MAX_SETTINGS: Final = 256
"""Settings of a form that is remembered."""

_NO_FLAGS: Final[list[str]] = []


class SafeForm(NamedTuple):
    """What names the safes have in common that are made of such bodies."""

    place: Path
    view: str
    facts: tuple[str, ...]
    sets: tuple[tuple[str, tuple[str, ...]], ...]
    """The names of the settings, by set; all in their order."""

    @property
    def skeleton(self) -> dict[str, Any]:
        """What is kept of a body beside its settings."""
        return {"contexts": {name: {"preferences": dict.fromkeys(names, 0)} for name, names in self.sets}}


class FirstValues(NamedTuple):
    """What is told to the components of a new safe."""

    values: list[Any]
    """In the order in which the components are made."""
    evidence_type: EvidenceType
    comment: str | None


def form_of(place: Path, view: str, facts: Sequence[str], body: Any) -> SafeForm | None:
    """Give the form of what a body makes; None: it has groups of settings, metadata, or too many settings."""
    named = body.get("contexts") if type(body) is dict and len(body) == 1 else None
    if type(named) is not dict or not all(map(_is_plain, named.values())):
        return None
    sets = tuple([(name, tuple(one["preferences"])) for name, one in named.items()])
    return SafeForm(place, view, tuple(facts), sets) if sum([len(names) for _, names in sets]) <= MAX_SETTINGS else None


def _is_plain(one: Any) -> bool:
    settings = one.get("preferences") if type(one) is dict and len(one) == 1 else None
    return type(settings) is dict and not any(type(value) is dict and value for value in settings.values())


def settings_in(body: Any) -> list[Any]:
    """Give the values of the settings of a body that has a form."""
    return [value for one in body["contexts"].values() for value in one["preferences"].values()]


class Pattern:
    """Makes safes of one form, from what has made one of them, and the model that it came to."""

    __slots__ = ("_root", "_steps")

    def __init__(self, changes: Sequence[Change], model: Model) -> None:
        self._steps = [(change.kind, change.path) for change in changes if isinstance(change, PutItem)]
        self._root = _Branch(model.root, model.seq * NUMBERS_PER_COMMAND)

    def decision(self, told: FirstValues, stamp: Stamp) -> Decision:
        """Decide what makes another one."""
        app, item = App(role="owner", registration=stamp.seq), ContextItem(created_us=stamp.time_us)
        model = Model(stamp.user, self._root.context(stamp.seq * NUMBERS_PER_COMMAND, stamp.time_us))
        model.seq, model.time_us = stamp.seq, stamp.time_us
        changes: list[Change] = []
        components: list[Path] = []
        model.apps = {}
        for kind, path in self._steps:
            if kind == "component":
                changes += _made(path, len(components), told, stamp)
                components.append(path)
            elif kind == "app":
                model.apps[path[0]] = app
                changes.append(put(kind, path, app))
            else:
                changes.append(put(kind, path, item))
        return Decision(changes, {"made": True}, model)


def _made(path: Path, n: int, told: FirstValues, stamp: Stamp) -> tuple[Change, Change]:
    number = stamp.seq * NUMBERS_PER_COMMAND + n
    component = Component(number=number, component_type="preference", value_type="JSON", created_us=stamp.time_us)
    evidence = Evidence(
        seq=stamp.seq,
        n=n,
        value=told.values[n],
        evidence_type=told.evidence_type,
        source=stamp.app,
        owner=stamp.user,
        flags=_NO_FLAGS,
        comment=told.comment,
        creation_time=stamp.time_us / 1e6,
    )
    return put("component", path, component), add(evidence, number, stamp.time_us, False, path)


class _Branch:
    """A context as all safes of a form have it, without numbers and times."""

    __slots__ = ("_children", "_first", "_packed")

    def __init__(self, context: Context, first: int) -> None:
        self._packed = context.packed
        self._first = context.first - first if context.contents.components else None
        """From where its numbers count, beginning with the first of the safe; None: it has no components."""
        self._children = {name: _Branch(child, first) for name, child in context.children.items()}

    def context(self, first: int, created_us: int) -> Context:
        made = Context.unpacked(self._packed, 0 if self._first is None else first + self._first, created_us)
        if self._children:
            made.children = {name: child.context(first, created_us) for name, child in self._children.items()}
        return made


@remembered(MAX_FORMS)
def _kept_of(_form: SafeForm) -> list[Pattern | None]:
    """Give where the pattern of a form is kept: empty before the first safe of that form, and then None."""
    return []


def pattern_of(form: SafeForm) -> Pattern | None:
    """Find the pattern of a form."""
    kept = _kept_of(form)
    return kept[0] if kept else None


def remember(form: SafeForm, decision: Decision, stamp: Stamp) -> None:
    """Remember what has made a safe of this form step by step, from the second one on: most forms may come but once."""
    kept = _kept_of(form)
    if not kept:
        kept.append(None)
        return
    model = take(None, decision.changes, stamp, Caches())
    assert model is not None, "it has just been made"
    kept[0] = Pattern(decision.changes, model)
