"""Files that can be imported below a context: archives of llum, and what the original browser has exported."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Final, Protocol

import msgspec

from llum.failures import Fault
from llum.people.archive_files import open_archive
from model.formats import archive, personis
from model.formats.archive import Archive, Attached, attached_rules
from model.formats.foreign import NOTHING_ACCEPTED, Acceptable, plain_pieces
from model.formats.parcels import import_commands
from model.formats.personis import ExportedContext, Exporter, read_exported
from schemas.commands import Import
from schemas.definitions import ImportedContext
from schemas.paths import Path, format_path

MAX_ORIGINAL_BYTES: Final = 256 * 1024 * 1024
"""Bytes of a file of the original browser: it must be read as a whole."""

_MARK: Final = b'"llum-archive"'


class Source(Protocol):
    """What a file holds, as often as it is wanted."""

    def commands(self, context: Path, salt: str) -> Iterator[Import]:
        """Give the commands, whose ids come from the salt and from what they hold."""

    def left_out(self) -> list[str]:
        """Say what of the file can be in no model."""

    def first(self) -> list[str]:
        """Give the path of a context that is there when the file has been imported."""


def open_source(file: FilePath, default: Exporter, accept: frozenset[Acceptable] = NOTHING_ACCEPTED) -> Source:
    """Find out which form a file has, and open it. Raises `Fault`, `Refusal`."""
    try:
        with file.open("rb") as content:
            start = content.read(len(_MARK) + 16)
            if _MARK in start:
                return _Archived(open_archive(file), accept)
            text = start + content.read(MAX_ORIGINAL_BYTES)
    except OSError as error:
        raise Fault(f"cannot read {file}: {error.strerror or error}") from error
    if len(text) > MAX_ORIGINAL_BYTES:
        raise Fault(f"{file} is too large: at most {MAX_ORIGINAL_BYTES} bytes of the original's form")
    return _Original(read_exported(text), default, accept)


class _Archived:
    """A context comes back under its name, a whole model's root becomes the context itself."""

    def __init__(self, opened: Archive, accept: frozenset[Acceptable]) -> None:
        self._archive = opened
        self._accept = accept
        self._name = opened.head.context[-1:]

    def commands(self, context: Path, salt: str) -> Iterator[Import]:
        attached = Attached(attached_rules(self._archive, with_apps=False), {}, {})
        pieces = archive.pieces_of(self._archive, attached)
        placed = (piece._replace(context=self._placed(piece.context)) for piece in pieces)
        return import_commands(plain_pieces(placed, self._accept), list(context), f"{salt} {self._archive.digest}")

    def left_out(self) -> list[str]:
        return []

    def first(self) -> list[str]:
        return self._name

    def _placed(self, context: ImportedContext) -> ImportedContext:
        return msgspec.structs.replace(context, path=[*self._name, *context.path])


class _Original:
    def __init__(self, model: ExportedContext, default: Exporter, accept: frozenset[Acceptable]) -> None:
        self._model = model
        self._accept = accept
        self._default = default

    def commands(self, context: Path, salt: str) -> Iterator[Import]:
        pieces = personis.pieces_of(self._model, self._default)
        return import_commands(plain_pieces(pieces, self._accept), list(context), salt)

    def left_out(self) -> list[str]:
        why = {"permission": "that is no app's name", "rule": "there is no such component"}
        return [f"{one.what} at /{format_path(one.path)}: {why[one.what]}" for one in personis.left_out(self._model)]

    def first(self) -> list[str]:
        return next(personis.contexts_of(self._model))[0]
