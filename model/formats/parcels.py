"""The one packer of imports: pieces of a model, put together to commands that are each as large as may be.

What a command begins, the next one may go on with: a context or component whose pieces fill more than one command is
named again in each.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from schemas.commands import Import
from schemas.definitions import ImportedApp, ImportedComponent, ImportedContext, ImportedRule, ViewDefinition
from schemas.evidence import ImportedEvidence
from schemas.limits import MAX_COMMAND_BYTES, MAX_DEFINITION_ITEMS

MAX_PARCEL_BYTES: Final = MAX_COMMAND_BYTES - 1024
"""Bytes of what one command holds, apart from its id and other small members. Only a single piece may be larger."""

MAX_PARCEL_THINGS: Final = MAX_DEFINITION_ITEMS
"""Things that one command holds, counted as `model.commands.import_checks` counts them."""

_FRAME_BYTES: Final = 48
"""Bytes around a context or something in it: names of members, brackets."""

_encode: Final = msgspec.json.Encoder().encode

PackedItem = ImportedComponent | ViewDefinition


class Piece(NamedTuple):
    """A context without what is in it; perhaps something in it; perhaps evidence or a rule of that component.

    The component is without either, too.
    """

    context: ImportedContext
    item: PackedItem | None = None
    part: ImportedEvidence | ImportedRule | None = None


def import_commands(
    pieces: Iterable[Piece],
    context: list[str],
    salt: str = "",
    apps: dict[str, ImportedApp] | None = None,
    *,
    only_new: bool = False,
) -> Iterator[Import]:
    """Pack pieces into commands that put them below a context. Their ids come from the salt and from what they hold.

    So the same import sends the same ids again, which changes nothing. What fits into one command is one. Parents stand
    before what is in them, the apps in the first command.
    """
    taken = len(_encode([context, apps])) if apps else len(_encode(context))
    for number, contexts in enumerate(_parcels(pieces, MAX_PARCEL_BYTES - taken, len(apps or ()))):
        first = apps or {} if number == 0 else {}
        held = [salt, number, context, contexts, *([first] if first else [])]
        digest = hashlib.sha256(_encode(held)).hexdigest()
        yield Import(id=f"import-{digest[:40]}", context=context, contexts=contexts, apps=first, only_new=only_new)


def _parcels(pieces: Iterable[Piece], room: int, things: int) -> Iterator[list[ImportedContext]]:
    """`room` is in bytes, `things` there are already in each."""
    parcel = _Parcel(room, things)
    for piece in pieces:
        if not parcel.take(piece):
            yield parcel.contexts
            parcel = _Parcel(room, things)
            parcel.take(piece)
    if parcel.contexts:
        yield parcel.contexts


class _Parcel:
    """What goes into one command."""

    def __init__(self, room: int, things: int) -> None:
        self.contexts: list[ImportedContext] = []
        self._context: ImportedContext | None = None
        self._item: PackedItem | None = None
        self._room = room
        """Bytes that there is room for."""
        self._things = MAX_PARCEL_THINGS - things
        """Things that there is room for."""

    def take(self, piece: Piece) -> bool:
        """Add a piece; False when there is no room for it. An empty parcel takes any."""
        context, item, part = piece
        begins_context = not _same(context, self._context)
        begins_item = item is not None and (begins_context or not _same(item, self._item))
        size = _size(context, begins_context) + _size(item, begins_item)
        size += 0 if part is None else len(_encode(part)) + 1
        things = _things_of(context) * begins_context + _things_in(item) * begins_item + (part is not None)
        if self.contexts and (size > self._room or things > self._things):
            return False
        self._room -= size
        self._things -= things
        if begins_context:
            self._begin_context(context)
        if begins_item:
            self._begin_item(item)
        self._add(part)
        return True

    def _add(self, part: ImportedEvidence | ImportedRule | None) -> None:
        if isinstance(part, ImportedRule):
            self.contexts[-1].components[-1].rules.append(part)
        elif part is not None:
            self.contexts[-1].components[-1].evidence.append(part)

    def _begin_context(self, context: ImportedContext) -> None:
        self._context, self._item = context, None
        self.contexts.append(msgspec.structs.replace(context, components=[], views=[]))

    def _begin_item(self, item: PackedItem | None) -> None:
        self._item = item
        if isinstance(item, ViewDefinition):
            self.contexts[-1].views.append(item)
        elif item is not None:
            self.contexts[-1].components.append(msgspec.structs.replace(item, evidence=[], rules=[]))


def _same(one: msgspec.Struct | None, other: msgspec.Struct | None) -> bool:
    return one is other or one == other


def _size(what: msgspec.Struct | None, counts: bool) -> int:
    return len(_encode(what)) + _FRAME_BYTES if counts else 0


def _things_of(context: ImportedContext) -> int:
    return 1 + len(context.path) + len(context.permissions)


def _things_in(item: PackedItem | None) -> int:
    if isinstance(item, ImportedComponent):
        return 1 + len(item.definition.evidence) + len(item.permissions)
    return 1
