"""Whether files about ontologies fit one another: each term once, and rules only between what there is."""

from collections.abc import Iterator, Sequence

from llum.ontologies.format import OntologyFile, WrittenRule
from llum.ontologies.positions import Pointer
from model.preferences.paths import PathSegments, path_of, segments_of

LLUM = "llum itself"


class TermsSoFar:
    """The ontologies and terms of the files that were read so far, and which file each comes from."""

    def __init__(self, shipped: Sequence[OntologyFile]) -> None:
        self._names: dict[str, str | None] = {}
        """The ontologies, with the file that gives the title."""
        self._terms: dict[str, dict[PathSegments, str]] = {}
        self._checked: dict[str, dict[PathSegments, str]] = {}
        """Of each ontology the terms with a schema: what is inside them is theirs."""
        self._first_segments: dict[str, str] = {}
        """The ontology whose terms begin so and are checked."""
        for file in shipped:
            list(self.added(file, LLUM))

    def added(self, file: OntologyFile, name: str) -> Iterator[tuple[Pointer, str]]:
        """Add a file and say what of it clashes with what was there."""
        yield from self._add_titles(file, name)
        terms = self._terms.setdefault(file.ontology, {})
        checked = self._checked.setdefault(file.ontology, {})
        for path, term in file.terms.items():
            place = segments_of(path)
            if text := self._clash(file.ontology, place, checked=bool(term.schema)):
                yield ("terms", path), text
            terms.setdefault(place, name)
            if term.schema:
                checked.setdefault(place, name)

    def _add_titles(self, file: OntologyFile, name: str) -> Iterator[tuple[Pointer, str]]:
        there = self._names.get(file.ontology)
        if file.title is not None and there is not None:
            yield ("title",), f"{file.ontology} has a title from {there}: leave it out here"
        self._names[file.ontology] = there or (name if file.title is not None else None)

    def _clash(self, ontology: str, place: PathSegments, *, checked: bool) -> str | None:
        terms = self._terms[ontology]
        if place in terms:
            return f"{ontology} has this term already, from {terms[place]}: leave one out"
        for outer, file in self._checked[ontology].items():
            if place[: len(outer)] == outer:
                return f"it is inside the term {path_of(outer)} from {file}, which has a schema: say it there"
        if checked:
            for inner, file in terms.items():
                if inner[: len(place)] == place:
                    return f"the term {path_of(inner)} from {file} is inside of it: leave the schema of one out"
            owner = self._first_segments.setdefault(place[0], ontology)
            if owner != ontology:
                return f"{owner} has terms that begin with {place[0]!r}, and a term is the same in all: rename it"
        return None

    def untitled(self, file: OntologyFile) -> Iterator[tuple[Pointer, str]]:
        """Say that no file gives the ontology a title."""
        if self._names[file.ontology] is None:
            yield ("ontology",), f"no file gives {file.ontology} a title: add title and description, or mend the name"

    def mistakes_in_rules(self, file: OntologyFile) -> Iterator[tuple[Pointer, str]]:
        """Say which rules lead from or to what is nowhere. All files must have been added."""
        for number, mapping in enumerate(file.mappings):
            above: Pointer = ("mappings", number)
            if mapping.target not in self._names:
                names = ", ".join(sorted(self._names))
                yield (*above, "to"), f"there is no ontology {mapping.target!r}: take one of {names}, or add its file"
                continue
            for index, rule in enumerate(mapping.rules):
                for side, text in self._unknown_ends(file.ontology, mapping.target, rule):
                    yield (*above, "rules", index, side), text

    def _unknown_ends(self, source: str, target: str, rule: WrittenRule) -> Iterator[tuple[str, str]]:
        for side, ontology, path in (("from", source, rule.source), ("to", target, rule.target)):
            terms = self._terms[ontology]
            if terms and path and not any(_meet(segments_of(path), place) for place in terms):
                yield side, f"{ontology} has no term {path}: mend the path, or add the term"


def _meet(one: PathSegments, other: PathSegments) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
