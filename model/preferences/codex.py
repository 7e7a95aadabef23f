"""The codex: which settings there are, in plain words, and which values they take.

It checks a body in two stages. First its shape. Then the settings of its default set, each by the schema of its term;
settings that no ontology names are taken as they are. The view does not matter: one term is one thing in all of them.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from model.preferences.complaints import Complaint, complaints_of
from model.preferences.mappings import Copy, Linear, Mapping, Unpack, ValueTable
from model.preferences.paths import PathSegments, segments_of
from model.preferences.shape import SHAPE, standard
from schemas.preferences import DEFAULT_SET

if TYPE_CHECKING:
    from jsonschema_rs import Draft7Validator

_PRECISION: Final = 1e-10
"""How far a number may be from a multiple, in multiples: 0.3 is no multiple of 0.1 in binary."""


class Term(NamedTuple):
    """A setting: what people read of it, the JSON Schema (draft 7) of its values, and where it counts."""

    title: str
    description: str
    schema: dict[str, Any] = {}
    local: bool = False
    """It belongs to one machine and does not travel to another."""
    unit: str = ""


class Codex:
    """All terms of all ontologies. Making it is cheap; schemas are compiled when the first body is checked."""

    def __init__(self, terms: dict[str, dict[PathSegments, Term]], mappings: Sequence[Mapping] = ()) -> None:
        self.terms = terms
        """The terms of each ontology by their places in a preference set."""
        self._mappings = mappings

    def errors(self, body: Any) -> list[Complaint]:
        """List what is wrong with a body that was sent, as `model.preferences.complaints` says; none: it is valid.

        Raises `too_deep` for what is nested so deep that the library gives up.
        """
        try:
            return self._errors(body)
        except ValueError:
            # Here: it is rare, and what checks any JSON knows the rules too.
            from model.checks import check_json

            check_json(body, "body")
            raise

    def _errors(self, body: Any) -> list[Complaint]:
        shape, terms = self._checkers
        if not shape.is_valid(body):
            return complaints_of(shape.iter_errors(body), SHAPE)
        checked = _checked_part(body)
        if not isinstance(checked, dict) or terms.is_valid(checked):
            return []
        return self._first_errors(checked)

    def term(self, view: str, path: Sequence[str]) -> Term | None:
        """Find what is known of a setting, or of what means the same in another ontology, which may take other values.

        `path` leads to the setting from the `preferences` of its set.
        """
        place = tuple(path)
        own = self._own_term(view, place)
        return own if own is not None and own.schema else self._same_elsewhere(view, place) or own

    def _own_term(self, view: str, place: PathSegments) -> Term | None:
        terms = self.terms.get(view, {})
        for length in range(len(place), 0, -1):
            term = terms.get(place[:length])
            if term is not None:
                return _member_of(term, place[length:])
        return None

    def _same_elsewhere(self, view: str, place: PathSegments) -> Term | None:
        for other, there, is_copied in self._places_elsewhere(view, place):
            term = self._own_term(other, there)
            if term is not None:
                return term if is_copied else term._replace(schema={}, unit="")
        return None

    def _places_elsewhere(self, view: str, place: PathSegments) -> Iterator[tuple[str, PathSegments, bool]]:
        for length in range(len(place), 0, -1):
            for other, there, is_copied in self._counterparts.get((view, place[:length]), ()):
                yield other, there + place[length:], is_copied
        for mapping in self._mappings:
            for rule in mapping.rules:
                if mapping.source == view and isinstance(rule, Unpack) and (there := _in_block(rule, place)):
                    yield mapping.target, there, True

    def _first_errors(self, checked: dict[str, Any]) -> list[Complaint]:
        for name, value in checked.items():
            schema = self._schemas.get(name)
            if schema is not None and not (checker := compiled(schema)).is_valid(value):
                return complaints_of(checker.iter_errors(value), schema, [name])
        raise AssertionError("all terms at once have refused what each alone takes")

    @cached_property
    def _schemas(self) -> dict[str, dict[str, Any]]:
        """The schema of each first segment: terms further down are members of it."""
        schemas: dict[str, dict[str, Any]] = {}
        for terms in self.terms.values():
            for place, term in terms.items():
                if term.schema:
                    _enter(schemas, place, term.schema)
        return schemas

    @cached_property
    def _checkers(self) -> tuple["Draft7Validator", "Draft7Validator"]:
        return compiled(standard(SHAPE)), compiled({"properties": self._schemas})

    @cached_property
    def _counterparts(self) -> dict[tuple[str, PathSegments], list[tuple[str, PathSegments, bool]]]:
        found: dict[tuple[str, PathSegments], list[tuple[str, PathSegments, bool]]] = {}
        for mapping in self._mappings:
            for rule in mapping.rules:
                if isinstance(rule, Copy | ValueTable | Linear):
                    source, target = segments_of(rule.source), segments_of(rule.target)
                    copied = isinstance(rule, Copy)
                    found.setdefault((mapping.source, source), []).append((mapping.target, target, copied))
                    found.setdefault((mapping.target, target), []).append((mapping.source, source, copied))
        return found


def compiled(schema: dict[str, Any]) -> "Draft7Validator":
    """Make a checker, or raise `ValueError` if it is no schema. Nothing is fetched: references are inside of it."""
    # Here: it takes 30 ms, and most processes never check a body.
    from jsonschema_rs import Draft7Validator

    return Draft7Validator(
        schema, validate_formats=True, formats={"uri": _is_uri}, keywords={"multipleOf": _MultipleOf}, offline=True
    )


def _checked_part(body: Any) -> Any:
    contexts = body["contexts"]
    if not isinstance(contexts, dict) or DEFAULT_SET not in contexts:
        return None
    preferences = contexts[DEFAULT_SET]["preferences"]
    return preferences.get("application", preferences)


def _enter(schemas: dict[str, dict[str, Any]], place: PathSegments, schema: dict[str, Any]) -> None:
    """Put a schema where its term is, in objects that may have other members too."""
    members = schemas
    for segment in place[:-1]:
        members = members.setdefault(segment, {"type": "object", "properties": {}})["properties"]
    members[place[-1]] = schema


def _in_block(rule: Unpack, place: PathSegments) -> PathSegments:
    """Give where a setting of an application is in the other ontology; empty if it is none."""
    source = segments_of(rule.source)
    name, parameters, *rest = (*place[len(source) :], "", "")
    if place[: len(source)] != source or parameters != "parameters":
        return ()
    return (*segments_of(rule.target), rule.prefix + name, *rest[:-2])


def _member_of(term: Term, rest: PathSegments) -> Term | None:
    """Give what a term's schema says of a member of its value, such as one setting of an application."""
    schema = term.schema
    for segment in rest:
        schema = schema.get("properties", {}).get(segment)
        if not isinstance(schema, dict):
            return None
    if not rest:
        return term
    title, description = schema.get("title", rest[-1]), schema.get("description", term.description)
    return Term(title, description, schema, term.local, schema.get("unit", ""))


def _is_uri(text: str) -> bool:
    """Tell whether a text is a scheme, a colon and something without white space."""
    scheme, colon, rest = text.partition(":")
    letters = scheme.replace("+", "").replace(".", "").replace("-", "")
    is_scheme = scheme[:1].isalpha() and scheme.isascii() and letters.isalnum()
    return bool(colon and is_scheme and rest) and len(text.split()) == 1 and text == text.strip()


class _MultipleOf:
    """The keyword as clients of the preferences service know it: with a tolerance."""

    def __init__(self, _schema: dict[str, Any], value: Any, _path: list[str | int]) -> None:
        self.step = value

    def validate(self, instance: Any) -> None:
        """Raise `ValueError` for a number that is no multiple. Numbers beyond floats are taken for multiples."""
        if isinstance(instance, int | float) and not isinstance(instance, bool) and not self._fits(instance):
            raise ValueError("no multiple")

    def _fits(self, number: float) -> bool:
        try:
            times = number / self.step
            return not math.isfinite(times) or abs(times - round(times)) <= _PRECISION
        except OverflowError:
            return True
