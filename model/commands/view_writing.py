"""The changes that make the views of a safe say what bodies say: only what differs is told.

Each setting has a component of its own, each object a context; what they hang in is made when it is needed. Settings
that a body has not, and the view has, are unset. Rights are looked at where something changes.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from model import permissions
from model.changes import Change, add, put
from model.checks import check_below, check_evidence, check_json
from model.commands.making import component_number
from model.commands.quotas import check_things, maker_of
from model.commands.rules import fired
from model.commands.targets import check_may
from model.permissions import KnownGrants
from model.preferences.sets import Tree, has_preferences
from model.safes.places import LLUMS_OWN, next_moment
from model.safes.standing import Pieces, is_there
from model.stamp import Stamp
from model.state import Component, Context, ContextItem, Leaf, Model, contexts_below
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, EvidenceType, NewEvidence
from schemas.limits import MAX_DEFINITION_ITEMS
from schemas.missing import right
from schemas.paths import Path, check_segment
from schemas.preferences import SKELETON, UNSET_FLAG

_PLAIN: Final[list[str]] = []
_UNSET: Final = [UNSET_FLAG]
_MISSING: Final = object()
_NO_LEAVES: Final[Mapping[str, Leaf]] = {}
_NO_CHILDREN: Final[Mapping[str, Context]] = {}
_encode: Final = msgspec.json.Encoder().encode


class ViewWriter:
    """Gathers what one command changes in one safe. Each method raises a `Refusal` that names the place in `field`."""

    def __init__(
        self,
        model: Model,
        place: Path,
        pieces: Pieces,
        stamp: Stamp,
        known: KnownGrants | None,
        evidence_type: EvidenceType = "explicit",
        comment: str | None = None,
    ) -> None:
        """`pieces` are what stands for the components of the safe."""
        self.changes: list[Change] = []
        self._model = model
        self._place = place
        self._pieces = pieces
        self._stamp = stamp
        self._known = known
        self._type = evidence_type
        self._comment = comment
        self._time_s = stamp.time_us / 1e6
        self._owner = permissions.is_owner(model, stamp.app)
        self._maker = maker_of(model, stamp.app)
        self._moment_us = next_moment(model.context(place), stamp.time_us)
        self._made: set[Path] = set()
        self._components = 0
        self._n = 0

    def write(self, view: str, body: Tree, field: str) -> None:
        """Make a view say what the body says."""
        path, place = (*self._place, view), self._model.context(self._place)
        # For its skeleton, and its sets.
        check_below(path, "context")
        context = None if place is None else place.children.get(view)
        skeleton = dict(body)
        named = body.get("contexts")
        if type(named) is dict:
            skeleton["contexts"] = {
                name: self._set(one, context, (*path, name), f"{field}.contexts") for name, one in named.items()
            }
        if context is not None:
            self._unset_sets(path, context, skeleton.get("contexts"))
        self._write_skeleton(path, context, skeleton, field)

    def tell_fact(self, path: Path, value: Any) -> None:
        """Tell a fact of the safe. No right is needed: it is llum's own bookkeeping."""
        context = self._model.context(path[:-1])
        leaf = None if context is None else context.contents.components.get(path[-1])
        if context is None or leaf is None:
            self._ensure(path[:-1])
            self._make(path, value, self._stamp.time_us)
        else:
            self._tell(context, leaf, path, value)

    def check_amount(self) -> None:
        """Check how much is made: `too_large`, `quota`."""
        things = self._components + len(self._made)
        if things + self._components > MAX_DEFINITION_ITEMS:
            message = f"the body makes {things + self._components} things, at most {MAX_DEFINITION_ITEMS}"
            raise Refusal(Code.TOO_LARGE, message, "body", "put fewer settings at a time")
        if things:
            check_things(self._model, self._stamp.app, things)

    def _set(self, one: Any, view: Context | None, path: Path, field: str) -> Any:
        """Write one set of the body, and give what its skeleton keeps."""
        name = path[-1]
        at = f"{field}.{name}"
        check_named(name, at)
        if not has_preferences(one):
            return one
        tree = self._tree(one["preferences"], view and view.children.get(name), path, f"{at}.preferences")
        return {**one, "preferences": tree}

    def _tree(self, wanted: Tree, context: Context | None, path: Path, field: str) -> Tree:
        """Write an object, and give its skeleton. What is as it was costs next to nothing."""
        contents = None if context is None else context.contents
        leaves = _NO_LEAVES if contents is None else contents.components
        children = _NO_CHILDREN if context is None else context.children
        first = 0 if context is None else context.first
        pieces = self._pieces
        skeleton: Tree = {}
        matched = 0
        for name, value in wanted.items():
            if type(value) is dict and value:
                skeleton[name] = self._object(value, children.get(name), path, name, field)
                matched += name in children
                continue
            skeleton[name] = 0
            leaf = leaves.get(name)
            if leaf is None or context is None:
                self._make_setting(path, name, value, field)
                continue
            matched += 1
            piece = pieces.get(first + leaf.offset)
            if piece is None or UNSET_FLAG in piece.flags or not _same(piece.value, value):
                self._tell_setting(context, leaf, path, name, value, field)
        if context is not None and matched < len(leaves) + len(children):
            self._unset_others(path, context, wanted)
        return skeleton

    def _object(self, value: Tree, child: Context | None, path: Path, name: str, field: str) -> Tree:
        if child is None:
            check_normal(name, f"{field}.{name}")
            check_below(path, f"{field}.{name}")
        return self._tree(value, child, (*path, name), f"{field}.{name}")

    def _make_setting(self, path: Path, name: str, value: Any, field: str) -> None:
        at = f"{field}.{name}"
        check_normal(name, at)
        check_below(path, at)
        check_json(value, at)
        self._check_may_make(path, name)
        self._ensure(path)
        self._make((*path, name), value, self._stamp.time_us)

    def _tell_setting(self, context: Context, leaf: Leaf, path: Path, name: str, value: Any, field: str) -> None:
        check_value(value, leaf, f"{field}.{name}")
        self._check_may_tell(path, name)
        self._tell(context, leaf, (*path, name), value)

    def _unset_sets(self, path: Path, view: Context, kept: Any) -> None:
        for name in sorted(view.children):
            if not name.startswith(LLUMS_OWN) and not (type(kept) is dict and has_preferences(kept.get(name))):
                self._unset_below((*path, name), view.children[name])

    def _unset_others(self, path: Path, context: Context, wanted: Tree) -> None:
        """Unset what is not wanted: settings that the body has not, or has as objects, and the other way round."""
        for name, leaf in context.contents.components.items():
            value = wanted.get(name, _MISSING)
            if value is _MISSING or (type(value) is dict and value):
                self._unset(context, leaf, path, name)
        for name in sorted(context.children):
            value = wanted.get(name, _MISSING)
            if type(value) is not dict or not value:
                self._unset_below((*path, name), context.children[name])

    def _unset_below(self, path: Path, context: Context) -> None:
        for at, each in contexts_below(path, context):
            for name, leaf in each.contents.components.items():
                self._unset(each, leaf, at, name)

    def _unset(self, context: Context, leaf: Leaf, path: Path, name: str) -> None:
        if is_there(self._pieces.get(context.first + leaf.offset)):
            self._check_may_tell(path, name)
            self._tell(context, leaf, (*path, name), None, _UNSET)

    def _write_skeleton(self, path: Path, context: Context | None, skeleton: Tree, field: str) -> None:
        leaf = None if context is None else context.contents.components.get(SKELETON)
        if context is None or leaf is None:
            check_json(_without_settings(skeleton), field)
            self._check_may_make(path, SKELETON)
            self._ensure(path)
            self._make((*path, SKELETON), skeleton, self._moment_us)
            self._moment_us += 1
            return
        piece = self._pieces.get(context.first + leaf.offset)
        if piece is None or not _same(piece.value, skeleton):
            check_value(skeleton, leaf, field)
            self._check_may_tell(path, SKELETON)
            self._tell(context, leaf, (*path, SKELETON), skeleton)

    def _check_may_make(self, path: Path, name: str) -> None:
        if not self._owner:
            grant = permissions.grant_at(self._model, self._stamp.app, path, name, self._time_s, self._known)
            if not (grant.make and grant.tell):
                raise self._may_not_make()

    def _may_not_make(self) -> Refusal:
        """Say what an app needs that puts what is new: in the safe as a whole, so that it can be granted at once."""
        missing = right(["tell", "make"], self._place)
        return permissions.denied(self._stamp.app, "make or change things", "context", missing)

    def _check_may_tell(self, path: Path, name: str) -> None:
        if not self._owner:
            grant = permissions.grant_at(self._model, self._stamp.app, path, name, self._time_s, self._known)
            check_may(grant, self._stamp.app, "tell", path, name)

    def _ensure(self, path: Path) -> None:
        """Make the contexts of a path that are not there yet."""
        if path in self._made or self._model.context(path) is not None:
            return
        self._ensure(path[:-1])
        if not self._owner:
            grant = permissions.grant_of(self._model, self._stamp.app, path, self._time_s, self._known)
            if not grant.make:
                raise self._may_not_make()
        self._made.add(path)
        self.changes.append(put("context", path, ContextItem(created_us=self._stamp.time_us, made_by=self._maker)))

    def _make(self, path: Path, value: Any, created_us: int) -> None:
        number = component_number(self._components, self._stamp)
        component = Component(
            number=number,
            component_type="preference",
            value_type="JSON",
            created_us=created_us,
            made_by=self._maker,
        )
        self._components += 1
        self.changes.append(put("component", path, component))
        self._add(number, False, path, value, _PLAIN)

    def _tell(self, context: Context, leaf: Leaf, path: Path, value: Any, flags: list[str] = _PLAIN) -> None:
        told = self._add(context.first + leaf.offset, leaf.held_order, path, value, flags)
        rules = context.rules.get(path[-1])
        if rules is not None:
            self.changes += fired(self._model, rules, path, None, self._stamp, self._known, told)

    def _add(self, number: int, held_order: bool, path: Path, value: Any, flags: list[str]) -> Evidence:
        stamp = self._stamp
        told = Evidence(
            seq=stamp.seq,
            n=self._n,
            value=value,
            evidence_type=self._type,
            source=stamp.app,
            owner=stamp.user,
            flags=flags,
            comment=self._comment,
            creation_time=self._time_s,
        )
        self._n += 1
        self.changes.append(add(told, number, stamp.time_us, held_order, path))
        return told


def _without_settings(skeleton: Tree) -> Tree:
    """Leave out the trees of settings: their names are checked one by one, and no path is as deep as JSON may be."""
    named = skeleton.get("contexts")
    if type(named) is not dict:
        return skeleton
    return {
        **skeleton,
        "contexts": {name: {**one, "preferences": 0} if has_preferences(one) else one for name, one in named.items()},
    }


def check_normal(name: str, field: str) -> None:
    """Check that a name can be that of a component or a context, as it is: `bad_path`."""
    if check_segment(name, field) != name:
        raise Refusal(
            Code.BAD_PATH, "a name is not in Unicode's form NFC", field, "send it in NFC, as other programs do"
        )


def check_named(name: str, field: str) -> None:
    """Check the name of a view or a set: `bad_path`."""
    check_normal(name, field)
    if name.startswith(LLUMS_OWN):
        raise Refusal(Code.BAD_PATH, "names with a _ in front are llum's own here", field, "use another name")


def check_value(value: Any, leaf: Leaf, field: str) -> None:
    """Check a value for a component that is there; others may have made it, of another type."""
    if leaf.value_type == "JSON":
        check_json(value, field)
        return
    try:
        check_evidence(NewEvidence(value=value), leaf.value_type, leaf.value_list, "")
    except Refusal as refusal:
        error = refusal.error
        raise Refusal(error.code, error.message, field, error.hint) from None


def _same(old: Any, new: Any) -> bool:
    """Tell whether two values are the same JSON, order included: true is not 1, and 1.0 is not 1."""
    kind = type(new)
    if type(old) is not kind:
        return False
    return bool(_encode(old) == _encode(new) if kind is dict or kind is list else old == new)
