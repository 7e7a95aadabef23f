"""From an archive to the commands that make an equal model. Their ids come from what they hold.

So importing the same archive again sends the same commands with the same ids, which change nothing; an import that was
interrupted goes on where it stopped.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from llum.people.archive_files import Apps, Archive, Contexts, Rules, root_of
from schemas.apps import OWNER_APP
from schemas.commands import Command, Import, MakeModel, MakeRule, RegisterApp, SetPermission
from schemas.definitions import ContextDefinition, ImportedComponent, ImportedContext, ModelDefinition

MAX_PARCEL_THINGS: Final = 2000
"""Contexts, components, views and pieces of evidence of one command: a fifth of what a model takes at once."""

MAX_PARCEL_BYTES: Final = 256 * 1024
"""Bytes after which a command is full. One large piece may follow, so this is well below what a command may have."""

_encode: Final = msgspec.json.Encoder().encode


class Step(NamedTuple):
    """A command, and the app that sends it."""

    app: str
    command: Command


def model_command(archive: Archive, owner: str = OWNER_APP) -> MakeModel:
    """Give the command that makes the empty model. Its id is the archive's, so its own model is known again."""
    root = root_of(archive)
    definition = ContextDefinition(path=[], description=root.description, resolver=root.resolver)
    return MakeModel(id=_id("model", archive.digest), definition=ModelDefinition(contexts=[definition]), owner=owner)


def import_steps(archive: Archive, importer: str) -> Iterator[Step]:
    """Give the commands that fill a model, in order. `importer` is an owner app of the model, and stays one."""
    for number, parcel in enumerate(parcels(archive)):
        identifier = _id("contexts", archive.digest, number, parcel)
        yield Step(importer, Import(id=identifier, context=[], contexts=parcel))
    for record in archive.records():
        if isinstance(record, Apps):
            yield from _app_steps(archive.digest, record, importer)
        elif isinstance(record, Rules):
            yield from _rule_steps(archive.digest, record)


def parcels(archive: Archive) -> Iterator[list[ImportedContext]]:
    """Give what is in the contexts, in order, in portions that one command takes."""
    return _parcels(_pieces(archive))


def _id(*parts: object) -> str:
    return f"archive-{hashlib.sha256(_encode(parts)).hexdigest()[:40]}"


def _app_steps(digest: str, record: Apps, importer: str) -> Iterator[Step]:
    for app, entry in record.apps.items():
        role = "owner" if app == importer else entry.role
        identifier = _id("app", digest, app)
        yield Step(importer, RegisterApp(id=identifier, app=app, description=entry.description, role=role))
        for setting in entry.permissions:
            members = msgspec.structs.asdict(setting)
            yield Step(importer, SetPermission(id=_id("permission", digest, app, setting), app=app, **members))


def _rule_steps(digest: str, record: Rules) -> Iterator[Step]:
    """Make each rule as its own app: it may do later what that app may."""
    for number, rule in enumerate(record.rules):
        command = MakeRule(
            id=_id("rule", digest, number), context=rule.path, component=rule.component, statement=rule.statement
        )
        yield Step(rule.app, command)


def _pieces(archive: Archive) -> Iterator[ImportedContext]:
    """Take the contexts apart, so that each piece is one thing in its context."""
    for record in archive.records():
        if isinstance(record, Contexts):
            for context in record.contexts:
                yield from _pieces_of(context)


def _pieces_of(context: ImportedContext) -> Iterator[ImportedContext]:
    head = msgspec.structs.replace(context, components=[], views=[])
    yield head
    for component in context.components:
        yield _with_component(head, ImportedComponent(definition=component.definition))
        for piece in component.evidence:
            yield _with_component(head, ImportedComponent(definition=component.definition, evidence=[piece]))
    for view in context.views:
        yield msgspec.structs.replace(head, views=[view])


def _with_component(head: ImportedContext, component: ImportedComponent) -> ImportedContext:
    return msgspec.structs.replace(head, components=[component])


def _parcels(pieces: Iterable[ImportedContext]) -> Iterator[list[ImportedContext]]:
    """Put pieces together again, as many as one command takes."""
    parcel: list[ImportedContext] = []
    things = size = 0
    for piece in pieces:
        if things >= MAX_PARCEL_THINGS or size >= MAX_PARCEL_BYTES:
            yield parcel
            parcel, things, size = [], 0, 0
        things += 1 if parcel and parcel[-1].path == piece.path else 1 + len(piece.path)
        size += _add(parcel, piece)
    if parcel:
        yield parcel


def _add(parcel: list[ImportedContext], piece: ImportedContext) -> int:
    """Add a piece to the parcel's last context or begin one, and say about how many bytes that takes."""
    if not parcel or parcel[-1].path != piece.path:
        parcel.append(msgspec.structs.replace(piece, components=list(piece.components), views=list(piece.views)))
        return len(_encode(piece))
    context = parcel[-1]
    context.views.extend(piece.views)
    for component in piece.components:
        if context.components and context.components[-1].definition.name == component.definition.name:
            context.components[-1].evidence.extend(component.evidence)
            return len(_encode(component.evidence))
        context.components.append(component)
    return len(_encode([piece.components, piece.views]))
