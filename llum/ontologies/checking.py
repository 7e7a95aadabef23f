"""Checking the operator's files: each by itself, then whether they fit llum's own and one another."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from llum.failures import Fault
from llum.ontologies.fitting import TermsSoFar
from llum.ontologies.format import OntologyFile, WrittenRule
from llum.ontologies.mistakes import OntologyDocument, OntologyFault, OntologyMistake, mistake, mistakes_of_form
from llum.ontologies.paths import mistake_in_path
from llum.ontologies.positions import Pointer
from llum.ontologies.schemas import mistakes_in_schema

_HINT: Final = "The setting ontologies names this folder."

ReadFile = tuple[OntologyDocument, OntologyFile]


def checked_files(folder: Path, shipped: Sequence[OntologyFile]) -> list[OntologyFile]:
    """Read all `*.json` files of the folder, in the order of their names. Raises a `Fault` with every mistake."""
    read: list[ReadFile] = []
    mistakes: list[OntologyMistake] = []
    for document in _documents(folder):
        file = _decoded(document)
        if file is None:
            mistakes += mistakes_of_form(document)
        else:
            read.append((document, file))
            mistakes += [mistake(document, pointer, text) for pointer, text in _in_itself(file)]
    if not mistakes:
        mistakes += _among_others(read, shipped)
    if mistakes:
        raise OntologyFault(mistakes)
    return [file for _, file in read]


def _documents(folder: Path) -> list[OntologyDocument]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
        documents = [OntologyDocument(path, path.read_bytes()) for path in paths]
    except OSError as error:
        raise Fault(f"cannot read {error.filename or folder}: {error.strerror}", _HINT) from error
    if not documents:
        raise Fault(f"{folder} has no file whose name ends in .json", _HINT)
    return documents


def _decoded(document: OntologyDocument) -> OntologyFile | None:
    """Read the file, or give nothing if its form is wrong. Of a member that is there twice, msgspec takes the last."""
    try:
        file = msgspec.json.decode(document.data, type=OntologyFile)
        repeats = _has_repeats(document.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if repeats else file


def _has_repeats(data: bytes) -> bool:
    import json

    found = False

    def look(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal found
        members = dict(pairs)
        found = found or len(members) < len(pairs)
        return members

    json.loads(data, object_pairs_hook=look)
    return found


def _in_itself(file: OntologyFile) -> Iterator[tuple[Pointer, str]]:
    for path, term in file.terms.items():
        if text := mistake_in_path(path):
            yield ("terms", path), text
        for pointer, text in mistakes_in_schema(term.schema):
            yield ("terms", path, "schema", *pointer), text
    for number, mapping in enumerate(file.mappings):
        above: Pointer = ("mappings", number)
        if mapping.target == file.ontology:
            yield (*above, "to"), "an ontology cannot be mapped to itself: name another one"
        for index, rule in enumerate(mapping.rules):
            for pointer, text in _in_rule(rule):
                yield (*above, "rules", index, *pointer), text


def _in_rule(rule: WrittenRule) -> Iterator[tuple[Pointer, str]]:
    is_root = rule.blocks is not None
    if text := mistake_in_path(rule.source):
        yield ("from",), text
    if not (is_root and not rule.target) and (text := mistake_in_path(rule.target)):
        yield ("to",), text
    if sum(one is not None for one in (rule.values, rule.scale, rule.blocks)) > 1:
        yield (), "a rule has at most one of values, scale and blocks: make two rules of it"
    if rule.values == ():
        yield ("values",), "the table of values is empty: add pairs, or leave values out to copy every value"
    if rule.scale is not None and any(len(set(side)) < 2 for side in zip(*rule.scale.points, strict=True)):
        yield ("scale", "points"), "the two points must differ on both sides: take two others"


def _among_others(read: Sequence[ReadFile], shipped: Sequence[OntologyFile]) -> Iterator[OntologyMistake]:
    known = TermsSoFar(shipped)
    for document, file in read:
        for pointer, text in known.added(file, document.path.name):
            yield mistake(document, pointer, text)
    for document, file in read:
        for pointer, text in (*known.untitled(file), *known.mistakes_in_rules(file)):
            yield mistake(document, pointer, text)
