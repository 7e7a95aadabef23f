"""From an archive to the commands that make an equal model. Their ids come from what they hold.

So importing the same archive again sends the same commands with the same ids, which change nothing; an import that was
interrupted goes on where it stopped. What the owner accepts (`model.formats.foreign`) is part of the ids: accepting
something else is another import, which the model is not made for.
"""

import hashlib
from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from model.formats.archive import AppsRecord, Archive, ContextsRecord, RulesRecord, pieces_of
from model.formats.foreign import NOTHING_ACCEPTED, Acceptable, plain_pieces
from model.formats.parcels import import_commands
from schemas.apps import OWNER_APP
from schemas.commands import Command, MakeModel, MakeRule, RegisterApp, SetPermission
from schemas.definitions import ContextDefinition, ImportedContext, ModelDefinition
from schemas.errors import Code, Refusal
from schemas.replies import ArchivedApp

_encode: Final = msgspec.json.Encoder().encode


class Step(NamedTuple):
    """A command, and the app that sends it."""

    app: str
    command: Command


def model_command(
    archive: Archive, owner: str = OWNER_APP, accept: Collection[Acceptable] = NOTHING_ACCEPTED
) -> MakeModel:
    """Give the command that makes the empty model. Its id is the archive's, so its own model is known again.

    Raises `malformed` for an archive of a part of a model.
    """
    root = _root_of(archive)
    definition = ContextDefinition(path=[], description=root.description, resolver=root.resolver)
    return MakeModel(
        id=_id("model", _salt(archive, accept)), definition=ModelDefinition(contexts=[definition]), owner=owner
    )


def import_steps(
    archive: Archive,
    importer: str,
    accept: Collection[Acceptable] = NOTHING_ACCEPTED,
    owners: Collection[str] = (),
) -> Iterator[Step]:
    """Give the commands that fill a model, in order. `importer` is an owner app of the model.

    It stays one, as do the apps that are `owners` of the model by now. No other becomes one, unless roles are accepted.
    """
    salt = _salt(archive, accept)
    for command in import_commands(plain_pieces(pieces_of(archive), accept), [], salt):
        yield Step(importer, command)
    for record in archive.records():
        if isinstance(record, AppsRecord):
            for app, entry in record.apps.items():
                kept = app == importer or app in owners or ("roles" in accept and entry.role == "owner")
                yield from _app_steps(salt, importer, app, entry, "owner" if kept else "app")
        elif isinstance(record, RulesRecord):
            yield from _rule_steps(salt, importer, record)


def _salt(archive: Archive, accept: Collection[Acceptable]) -> str:
    return f"{archive.digest} {','.join(sorted(accept))}"


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


def _app_steps(salt: str, importer: str, app: str, entry: ArchivedApp, role: Literal["owner", "app"]) -> Iterator[Step]:
    identifier, origins = _id("app", salt, app, role), entry.origins or None
    yield Step(
        importer,
        RegisterApp(id=identifier, app=app, description=entry.description, role=role, origins=origins),
    )
    for setting in entry.permissions:
        members = msgspec.structs.asdict(setting)
        yield Step(importer, SetPermission(id=_id("permission", salt, app, setting), app=app, **members))


def _rule_steps(salt: str, importer: str, record: RulesRecord) -> Iterator[Step]:
    """Make each rule for its own app, suspended: once it is activated, it may do what that app may."""
    for number, rule in enumerate(record.rules):
        command = MakeRule(
            id=_id("rule", salt, number),
            context=rule.path,
            component=rule.component,
            statement=rule.statement,
            app=rule.app,
        )
        yield Step(importer, command)
