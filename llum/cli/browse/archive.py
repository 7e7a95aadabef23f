"""Files that can be imported below a context: archives of llum, and what the original browser has exported."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from edge_http.personis.packing import ExportedContext, Exporter, contexts_of, import_commands, read_exported
from llum.failures import Fault
from llum.people.archive_commands import parcels
from llum.people.archive_files import Archive, Rules, open_archive
from schemas.commands import Import, MakeRule
from schemas.paths import Path

MAX_ORIGINAL_BYTES: Final = 256 * 1024 * 1024
"""Bytes of a file of the original browser: it must be read as a whole."""

_MARK: Final = b'"llum-archive"'

_encode: Final = msgspec.json.Encoder().encode


class Rule(NamedTuple):
    """A rule and where it goes, below the context that is imported into."""

    path: list[str]
    component: str
    statement: str


class Source(Protocol):
    """What a file holds, as often as it is wanted."""

    def commands(self, context: Path, salt: str) -> Iterator[Import]:
        """Give the commands, whose ids come from the salt and from what they hold."""

    def rules(self) -> Iterator[Rule]:
        """Give the rules."""

    def first(self) -> list[str]:
        """Give the path of a context that is there when the file has been imported."""


def open_source(file: FilePath, default: Exporter) -> Source:
    """Find out which form a file has, and open it. Raises `Fault`, `Refusal`."""
    try:
        with file.open("rb") as content:
            start = content.read(len(_MARK) + 16)
            if _MARK in start:
                return _Archived(open_archive(file))
            text = start + content.read(MAX_ORIGINAL_BYTES)
    except OSError as error:
        raise Fault(f"cannot read {file}: {error.strerror or error}") from error
    if len(text) > MAX_ORIGINAL_BYTES:
        raise Fault(f"{file} is too large: at most {MAX_ORIGINAL_BYTES} bytes of the original's form")
    return _Original(read_exported(text), default)


def subscriptions(source: Source, context: Path, salt: str) -> Iterator[MakeRule]:
    """Give the commands that attach the rules, as whoever sends them."""
    for rule in source.rules():
        where = [*context, *rule.path]
        identifier = _id(salt, where, [rule.component, rule.statement])
        yield MakeRule(id=identifier, context=where, component=rule.component, statement=rule.statement)


class _Archived:
    """A context comes back under its name, a whole model's root becomes the context itself."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._name = archive.head.context[-1:]

    def commands(self, context: Path, salt: str) -> Iterator[Import]:
        for number, parcel in enumerate(parcels(self._archive)):
            placed = [msgspec.structs.replace(each, path=[*self._name, *each.path]) for each in parcel]
            identifier = _id(f"{salt} {number} {self._archive.digest}", context, placed)
            yield Import(id=identifier, context=list(context), contexts=placed)

    def rules(self) -> Iterator[Rule]:
        base = len(self._archive.head.context)
        for record in self._archive.records():
            if isinstance(record, Rules):
                for rule in record.rules:
                    yield Rule([*self._name, *rule.path[base:]], rule.component, rule.statement)

    def first(self) -> list[str]:
        return self._name


class _Original:
    def __init__(self, model: ExportedContext, default: Exporter) -> None:
        self._model = model
        self._default = default

    def commands(self, context: Path, salt: str) -> Iterator[Import]:
        return import_commands(self._model, list(context), self._default, salt)

    def rules(self) -> Iterator[Rule]:
        for path, context in contexts_of(self._model):
            for component, by_token in (context.subs or {}).items():
                for statement in dict.fromkeys(rule.statement for rule in by_token.values() if rule.statement):
                    yield Rule(path, component, statement)

    def first(self) -> list[str]:
        return next(contexts_of(self._model))[0]


def _id(salt: str, where: Iterable[str], what: Any) -> str:
    return f"import-{hashlib.sha256(_encode([salt, list(where), what])).hexdigest()[:40]}"
