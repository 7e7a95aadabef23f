"""Mistakes in files about ontologies: all of them, each with its place and what to do."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llum.failures import Fault
from llum.ontologies.format import OntologyFile
from llum.ontologies.positions import JsonPlaces, Pointer, TextPlace, place_of_byte, places_in


class OntologyDocument:
    """A file that is being read: what it holds, and where in it everything is."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data

    @cached_property
    def places(self) -> JsonPlaces:
        """Where everything is. The data must be JSON."""
        return places_in(self.data.decode())

    def place(self, pointer: Pointer) -> TextPlace:
        """Give the place of a part, or of the nearest that is there and holds it."""
        while pointer not in self.places.of:
            pointer = pointer[:-1]
        return self.places.of[pointer]


class OntologyMistake(NamedTuple):
    """What is wrong at one place of a file, and what to do about it."""

    path: Path
    place: TextPlace
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.place.line}:{self.place.column}: {self.text}"


class OntologyFault(Fault):
    """All mistakes in files about ontologies. As a text each has a line of its own, file by file."""

    def __init__(self, mistakes: Iterable[OntologyMistake]) -> None:
        self.mistakes = sorted(set(mistakes), key=lambda one: (one.path, one.place, one.text))
        count = "one mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        hint = "The setting ontologies names their folder."
        super().__init__(f"{count} in files about ontologies", hint, [*map(str, self.mistakes)])

    def __str__(self) -> str:
        return "\n".join([f"{self.message}:", *self.details])


def mistake(document: OntologyDocument, pointer: Pointer, text: str) -> OntologyMistake:
    """Name a mistake in a part of a document."""
    return OntologyMistake(document.path, document.place(pointer), text)


def mistakes_of_form(document: OntologyDocument) -> list[OntologyMistake]:
    """List what keeps a document from being a file about an ontology."""
    try:
        document.data.decode()
        content = msgspec.json.decode(document.data)
    except UnicodeDecodeError as error:
        place = place_of_byte(document.data, error.start)
        return [OntologyMistake(document.path, place, "this is no text in UTF-8: save the file as UTF-8")]
    except (msgspec.DecodeError, RecursionError) as error:
        return [_syntax_mistake(document, str(error))]
    return [*_repeated(document), *_wrong_members(document, content)]


def _syntax_mistake(document: OntologyDocument, said: str) -> OntologyMistake:
    what, _, byte = said.partition(" (byte ")
    at = int(byte.rstrip(")")) if byte else len(document.data)
    text = f"this is not JSON: {what.removeprefix('JSON is malformed: ')}: look for a missing quote, comma or bracket"
    return OntologyMistake(document.path, place_of_byte(document.data, at), text)


def _repeated(document: OntologyDocument) -> list[OntologyMistake]:
    text = "{!r} is here for the second time, and only one can count: leave one out"
    return [OntologyMistake(document.path, place, text.format(name[-1])) for name, place in document.places.repeated]


def _wrong_members(document: OntologyDocument, content: Any) -> list[OntologyMistake]:
    """Compare with the format: the same that msgspec says of its first mistake, for all of them."""
    from jsonschema_rs import Draft202012Validator

    checker = Draft202012Validator(msgspec.json.schema(OntologyFile))
    return [one for error in checker.iter_errors(content) for one in _wrong_member(document, error)]


def _wrong_member(document: OntologyDocument, error: Any) -> list[OntologyMistake]:
    pointer, kind = tuple(error.instance_path), error.kind
    if kind.name == "additionalProperties":
        text = "the format has no member {!r} here: mend its name, or leave it out"
        return [mistake(document, (*pointer, name), text.format(name)) for name in kind.as_dict()["unexpected"]]
    if kind.name == "required":
        text = "the member {!r} is missing here: add it".format(kind.as_dict()["property"])
        return [mistake(document, pointer, text)]
    if kind.name == "anyOf":
        branches = [
            one
            for branch in kind.as_dict()["context"]
            for one in branch
            if one.kind.name != "type" or pointer != tuple(one.instance_path)
        ]
        return [one for inner in branches for one in _wrong_member(document, inner)] or [
            mistake(document, pointer, _said(error))
        ]
    return [mistake(document, pointer, _said(error))]


def _said(error: Any) -> str:
    return f"{error.message}: write what the format says"
