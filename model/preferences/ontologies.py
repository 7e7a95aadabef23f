"""All installed ontologies: what is said in one of them, in any other that mappings lead to.

Stored sets may hold anything. What is no object where one belongs is passed over, and null counts as absent; so nothing
here raises, and nothing changes what it is given.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from model.preferences.mappings import Mapping
from model.preferences.metadata import transformed_metadata
from model.preferences.paths import MISSING
from model.preferences.routing import Routes
from model.preferences.sets import Tree, filter_preferences, has_preferences, is_object, merge_sets, sanitised
from model.preferences.transforms import Transform, inverse, marks
from schemas.recent import Recent

Equivalents = dict[str, dict[str, Tree]]
"""Ontology → id of a set → a tree of what is said there. Only where something is counts, not the values."""


REMEMBERED: Final = 256
"""So many bodies' equivalents are remembered, by the names of their settings."""

MAX_REMEMBERED_BYTES: Final = 16 * 1024
"""Bytes of names of a body whose equivalents are remembered: all together take at most 16 MiB or so."""

_encode: Final = msgspec.json.Encoder().encode


class Ontologies:
    """The mappings between ontologies, with the ways over several of them."""

    def __init__(self, mappings: Sequence[Mapping]) -> None:
        self._mappings = {(one.source, one.target): one for one in mappings}
        edges = [edge for source, target in self._mappings for edge in ((source, target), (target, source))]
        self._routes = Routes(edges)
        self._transforms: dict[tuple[str, str], Transform] = {}
        self._known: Recent[tuple[str, bytes], Equivalents] = Recent(REMEMBERED)
        """Equivalents that were found lately: a program puts the same settings again and again, with other values."""
        self.names: Final[tuple[str, ...]] = tuple(dict.fromkeys(name for edge in edges for name in edge))
        """Each ontology that a mapping names, in the order of the mappings."""

    def route(self, start: str, end: str) -> tuple[str, ...]:
        """Give the ontologies on the way, both ends included; empty if there is no way."""
        return self._routes.between(start, end)

    def mapping(self, start: str, end: str) -> Mapping:
        """Give what leads from one to the next, as it was given or inverted. Raises KeyError if neither is there."""
        given = self._mappings.get((start, end))
        return inverse(self._mappings[end, start]) if given is None else given

    def to_ontology(self, preference_set: Any, start: str, end: str) -> Any:
        """Say a preference set in another ontology; in the same one it is itself. Empty if there is no way."""
        if start == end:
            return preference_set
        route = self.route(start, end)
        if not route:
            return {}
        result = _plain(preference_set)
        for hop in itertools.pairwise(route):
            result = _said_by(self._transform(hop), result)
        return sanitised(result)

    def one_set(self, raw_sets: Any, to: str) -> Tree:
        """Say all stored sets, by ontology, as one set in one ontology.

        Of two values of a setting that of the ontology that is stored later counts.
        """
        result: Tree = {"contexts": {}}
        for ontology, stored in raw_sets.items() if is_object(raw_sets) else ():
            result = merge_sets(result, self.to_ontology(stored, ontology, to))
        cleaned: Tree = sanitised(result)
        return cleaned

    def equivalents(self, body: Any, view: str) -> Equivalents:
        """Say where in the other ontologies the settings of a body are. Ontologies and sets without any are left out.

        A setting is named there even if its value has no counterpart: the value that is there now is an old one.
        What is given may be given again: it is not to be changed.
        """
        said = {name: marks(context["preferences"]) for name, context in _sets_of(body)}
        named = _named(said)
        if named is None:
            return self._elsewhere(said, view, below_null=False)
        known = self._known.get((view, named))
        if known is None:
            known = self._known[view, named] = self._elsewhere(said, view, below_null=False)
        return known

    def equivalents_of_patch(self, patch: Any, view: str) -> Equivalents:
        """Say the same of a merge patch: a null in it unsets all settings below it, be it of a whole context.

        Settings of applications are found by their ids alone: where all applications are unset, they are not.
        """
        said = self._elsewhere(dict(_patched_sets_of(patch)), view, below_null=True)
        return {name: {one: marks(tree) for one, tree in trees.items()} for name, trees in said.items()}

    def add(self, body: Any, view: str, raw_sets: Any) -> Tree:
        """Give the stored sets with a new one, and without what says the same in other ontologies."""
        equivalents = self.equivalents(body, view)
        added: Tree = dict(raw_sets) if is_object(raw_sets) else {}
        for ontology, trees in equivalents.items():
            if ontology in added:
                added[ontology] = _without(added[ontology], trees)
        added[view] = body
        return {ontology: sanitised(stored) for ontology, stored in added.items()}

    def _elsewhere(self, said: dict[str, Any], view: str, *, below_null: bool) -> Equivalents:
        """Carry marks of each set to each other ontology. Ways share their beginnings."""
        by_route: dict[tuple[str, ...], dict[str, Any]] = {(view,): said}
        for name in self.names:
            route = self.route(view, name)
            for end in range(2, len(route) + 1):
                if route[:end] not in by_route:
                    transform = self._transform((route[end - 2], route[end - 1]))
                    before = by_route[route[: end - 1]].items()
                    marked = {one: transform.marked(tree, below_null=below_null) for one, tree in before}
                    by_route[route[:end]] = {one: tree for one, tree in marked.items() if tree}
        others = {name: by_route.get(self.route(view, name)) for name in self.names if name != view}
        return {name: trees for name, trees in others.items() if trees}

    def _transform(self, hop: tuple[str, str]) -> Transform:
        transform = self._transforms.get(hop)
        if transform is None:
            transform = self._transforms[hop] = Transform(self.mapping(*hop).rules)
        return transform


def _named(said: dict[str, Any]) -> bytes | None:
    """Write down what a body names; None: that is too long, or too deep to be written."""
    try:
        named = _encode(said)
    except RecursionError:
        return None
    return named if len(named) <= MAX_REMEMBERED_BYTES else None


def _sets_of(body: Any) -> list[tuple[str, Tree]]:
    contexts = body.get("contexts") if is_object(body) else None
    if not is_object(contexts):
        return []
    return [(name, one) for name, one in contexts.items() if has_preferences(one)]


def _patched_sets_of(patch: Any) -> Iterator[tuple[str, Any]]:
    """Give the settings of each context; null where all of them are unset."""
    contexts = patch.get("contexts") if is_object(patch) else None
    for name, context in contexts.items() if is_object(contexts) else ():
        if context is None:
            yield name, None
        elif is_object(context) and "preferences" in context:
            yield name, context["preferences"]


def _plain(preference_set: Any) -> Tree:
    """Give what of a set can be said in another ontology."""
    known = preference_set if is_object(preference_set) else {}
    contexts = known.get("contexts")
    sets = {name: one for name, one in contexts.items() if is_object(one)} if is_object(contexts) else {}
    return _members_of(known, "name", "metadata") | {"contexts": sets}


def _said_by(transform: Transform, preference_set: Tree) -> Tree:
    contexts = {name: _context_said_by(transform, one) for name, one in preference_set["contexts"].items()}
    return _members_of(preference_set, "name") | {"contexts": contexts} | _metadata_said_by(transform, preference_set)


def _context_said_by(transform: Transform, context: Tree) -> Tree:
    said = _members_of(context, "name", "priority")
    said["preferences"] = transform.transformed(context.get("preferences"))
    return said | _metadata_said_by(transform, context)


def _metadata_said_by(transform: Transform, holder: Tree) -> Tree:
    metadata = holder.get("metadata")
    return {"metadata": transformed_metadata(metadata, transform)} if type(metadata) is list else {}


def _members_of(holder: Tree, *names: str) -> Tree:
    return {name: holder[name] for name in names if holder.get(name, MISSING) is not MISSING}


def _without(stored: Any, trees: dict[str, Tree]) -> Any:
    """Take trees of settings out of the sets of the same names."""
    reduced = {
        name: one | {"preferences": filter_preferences(one["preferences"], trees[name])}
        for name, one in _sets_of(stored)
        if name in trees
    }
    return stored | {"contexts": stored["contexts"] | reduced} if reduced else stored
