"""From an archive to the commands that make an equal model. Their ids come from what they hold.

So importing the same archive again sends the same commands with the same ids, which change nothing; an import that was
interrupted goes on where it stopped. What the owner accepts (`model.formats.foreign`) is part of the ids: accepting
something else is another import, which the model is not made for.
"""

import hashlib
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from model.caches import Caches
from model.commands import decide_at_once
from model.fold import take
from model.formats.archive import (
    AppsRecord,
    Archive,
    Attached,
    ContextsRecord,
    DecisionsRecord,
    attached_rules,
    pieces_of,
)
from model.formats.foreign import NOTHING_ACCEPTED, Acceptable, plain_pieces
from model.formats.parcels import import_commands
from model.permissions import grantee_of
from model.stamp import Stamp
from model.state import Model
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import Command, Import, MakeModel
from schemas.definitions import ContextDefinition, ImportedApp, ImportedContext, ModelDefinition
from schemas.errors import Code, Refusal
from schemas.grants import MAX_DECISION_BYTES
from schemas.limits import MAX_COMMAND_BYTES
from schemas.paths import Path
from schemas.permissions import PERMISSION_PARTS, Permission

_encode: Final = msgspec.json.Encoder().encode

_DECISIONS_AT_ONCE: Final = MAX_COMMAND_BYTES // (2 * MAX_DECISION_BYTES)


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


def import_parts(archive: Archive, accept: Collection[Acceptable] = NOTHING_ACCEPTED) -> Iterator[Import]:
    """Give the commands that fill a model, in order; to be sent as an owner app of it.

    Who is an owner app by then stays one. No other app becomes one, unless roles are accepted.
    """
    apps: dict[str, ImportedApp] = {}
    attached = Attached(attached_rules(archive, with_apps=True), {}, {})
    for record in archive.records():
        if isinstance(record, AppsRecord):
            _take_apps(record, apps, attached, with_roles="roles" in accept)
    pieces = plain_pieces(pieces_of(archive, attached), accept)
    yield from import_commands(pieces, [], _salt(archive, accept), apps)
    yield from _decisions(archive, _salt(archive, accept))


def check_archive(archive: Archive, user: str, importer: str, accept: Collection[Acceptable] = NOTHING_ACCEPTED) -> int:
    """Make the model from beginning to end without anybody seeing it, and give the number of parts.

    So it is known that all of it can be imported before any of it is. Raises what the commands are refused with.
    """
    time_us = round(archive.head.exported * 1e6)
    model = _decided(None, model_command(archive, importer, accept), Stamp(user, ADMIN_APP, 1, time_us))
    seq = 1
    for seq, command in enumerate(import_parts(archive, accept), 2):
        model = _decided(model, command, Stamp(user, importer, seq, time_us))
    return seq - 1


def _salt(archive: Archive, accept: Collection[Acceptable]) -> str:
    return f"{archive.digest} {','.join(sorted(accept))}"


def _decisions(archive: Archive, salt: str) -> Iterator[Import]:
    """Give what was decided about apps, so much at a time that a command has room for it."""
    for record in archive.records():
        if isinstance(record, DecisionsRecord):
            for at in range(0, len(record.decisions), _DECISIONS_AT_ONCE):
                some = record.decisions[at : at + _DECISIONS_AT_ONCE]
                yield Import(id=_id("decisions", salt, at), context=[], contexts=[], decisions=some)


def _decided(model: Model | None, command: Command, stamp: Stamp) -> Model | None:
    decision = decide_at_once(model, command, stamp)
    assert decision is not None, "nothing must be read to import"
    return take(model, decision.changes, stamp, Caches())


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


def _take_apps(record: AppsRecord, apps: dict[str, ImportedApp], attached: Attached, *, with_roles: bool) -> None:
    """Take apps to be registered, and what is set for them where."""
    for app, entry in record.apps.items():
        role = entry.role if with_roles else "app"
        apps[app] = ImportedApp(description=entry.description, role=role, origins=entry.origins)
        for setting in entry.permissions:
            parts = Permission(**{part: getattr(setting, part) for part in PERMISSION_PARTS})
            path: Path = tuple(setting.context)
            grantee = grantee_of(app, setting.whose_rules)
            if setting.component is None:
                attached.settings.setdefault(path, {})[grantee] = parts
            else:
                attached.component_settings.setdefault((*path, setting.component), {})[grantee] = parts
