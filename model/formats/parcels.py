"""The one packer of imports: pieces of a model, put together to commands that are each as large as may be.

What a command begins, the next one may go on with: a context or component whose pieces fill more than one command is
named again in each.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.commands import Import
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ViewDefinition
from schemas.evidence import ImportedEvidence

MAX_PARCEL_BYTES: Final = 768 * 1024
"""Bytes of what one command holds, well below what a command may have. Only a single piece may be larger."""

MAX_PARCEL_THINGS: Final = 5_000
"""Contexts (with each segment of their paths), components, views and pieces of evidence of one command."""

_encode: Final = msgspec.json.Encoder().encode

PackedItem = ComponentDefinition | ViewDefinition


class Piece(NamedTuple):
    """A context without what is in it; perhaps something in it; perhaps a piece of that component's evidence."""

    context: ImportedContext
    item: PackedItem | None = None
    evidence: ImportedEvidence | None = None


def import_commands(pieces: Iterable[Piece], context: list[str], salt: str = "") -> Iterator[Import]:
    """Pack pieces into commands that put them below a context. Their ids come from the salt and from what they hold.

    So the same import sends the same ids again, which changes nothing. Parents stand before what is in them.
    """
    for number, contexts in enumerate(_parcels(pieces)):
        digest = hashlib.sha256(_encode([salt, number, context, contexts])).hexdigest()
        yield Import(id=f"import-{digest[:40]}", context=context, contexts=contexts)


def _parcels(pieces: Iterable[Piece]) -> Iterator[list[ImportedContext]]:
    parcel = _Parcel()
    for piece in pieces:
        if not parcel.take(piece):
            yield parcel.contexts
            parcel = _Parcel()
            parcel.take(piece)
    if parcel.contexts:
        yield parcel.contexts


class _Parcel:
    """What goes into one command."""

    def __init__(self) -> None:
        self.contexts: list[ImportedContext] = []
        self._context: ImportedContext | None = None
        self._item: PackedItem | None = None
        self._bytes = 0
        self._things = 0

    def take(self, piece: Piece) -> bool:
        """Add a piece; False when there is no room for it. An empty parcel takes any."""
        context, item, evidence = piece
        begins_context = not _same(context, self._context)
        begins_item = item is not None and (begins_context or not _same(item, self._item))
        size = _size(context, begins_context) + _size(item, begins_item) + _size(evidence, evidence is not None)
        things = (1 + len(context.path)) * begins_context + begins_item + (evidence is not None)
        if self.contexts and (self._bytes + size > MAX_PARCEL_BYTES or self._things + things > MAX_PARCEL_THINGS):
            return False
        self._bytes += size
        self._things += things
        if begins_context:
            self._begin_context(context)
        if begins_item:
            self._begin_item(item)
        if evidence is not None:
            self.contexts[-1].components[-1].evidence.append(evidence)
        return True

    def _begin_context(self, context: ImportedContext) -> None:
        self._context, self._item = context, None
        self.contexts.append(msgspec.structs.replace(context, components=[], views=[]))

    def _begin_item(self, item: PackedItem | None) -> None:
        self._item = item
        if isinstance(item, ViewDefinition):
            self.contexts[-1].views.append(item)
        elif item is not None:
            self.contexts[-1].components.append(ImportedComponent(definition=item, evidence=[]))


def _same(one: msgspec.Struct | None, other: msgspec.Struct | None) -> bool:
    return one is other or one == other


def _size(what: msgspec.Struct | None, counts: bool) -> int:
    return len(_encode(what)) if counts else 0
