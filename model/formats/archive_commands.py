"""From an archive to the commands that make an equal model. Their ids come from what they hold.

So importing the same archive again sends the same commands with the same ids, which change nothing; an import that was
interrupted goes on where it stopped.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from model.formats.archive import AppsRecord, Archive, ContextsRecord, RulesRecord, pieces_of
from model.formats.parcels import import_commands
from schemas.apps import OWNER_APP
from schemas.commands import Command, MakeModel, MakeRule, RegisterApp, SetPermission
from schemas.definitions import ContextDefinition, ImportedContext, ModelDefinition
from schemas.errors import Code, Refusal

_encode: Final = msgspec.json.Encoder().encode


class Step(NamedTuple):
    """A command, and the app that sends it."""

    app: str
    command: Command


def model_command(archive: Archive, owner: str = OWNER_APP) -> MakeModel:
    """Give the command that makes the empty model. Its id is the archive's, so its own model is known again.

    Raises `malformed` for an archive of a part of a model.
    """
    root = _root_of(archive)
    definition = ContextDefinition(path=[], description=root.description, resolver=root.resolver)
    return MakeModel(id=_id("model", archive.digest), definition=ModelDefinition(contexts=[definition]), owner=owner)


def import_steps(archive: Archive, importer: str) -> Iterator[Step]:
    """Give the commands that fill a model, in order. `importer` is an owner app of the model, and stays one."""
    for command in import_commands(pieces_of(archive), [], archive.digest):
        yield Step(importer, command)
    for record in archive.records():
        if isinstance(record, AppsRecord):
            yield from _app_steps(archive.digest, record, importer)
        elif isinstance(record, RulesRecord):
            yield from _rule_steps(archive.digest, record)


def _root_of(archive: Archive) -> ImportedContext:
    """Give the model's root, which an export begins with."""
    for record in archive.records() if not archive.head.context else ():
        if isinstance(record, ContextsRecord):
            for context in record.contexts:
                if not context.path:
                    return context
    raise Refusal(Code.MALFORMED, "the archive holds a part of a model", hint="Export the whole of it.")


def _id(*parts: object) -> str:
    return f"archive-{hashlib.sha256(_encode(parts)).hexdigest()[:40]}"


def _app_steps(digest: str, record: AppsRecord, importer: str) -> Iterator[Step]:
    for app, entry in record.apps.items():
        role = "owner" if app == importer else entry.role
        identifier = _id("app", digest, app)
        yield Step(
            importer,
            RegisterApp(
                id=identifier, app=app, description=entry.description, role=role, origins=entry.origins or None
            ),
        )
        for setting in entry.permissions:
            members = msgspec.structs.asdict(setting)
            yield Step(importer, SetPermission(id=_id("permission", digest, app, setting), app=app, **members))


def _rule_steps(digest: str, record: RulesRecord) -> Iterator[Step]:
    """Make each rule as its own app: it may do later what that app may."""
    for number, rule in enumerate(record.rules):
        command = MakeRule(
            id=_id("rule", digest, number), context=rule.path, component=rule.component, statement=rule.statement
        )
        yield Step(rule.app, command)
