"""Exporting a person into an archive, and importing one."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from bus.as_app import AsApp, LastWrites
from llum.failures import Fault
from model.formats.archive import AppsRecord, Archive, ArchiveLines, ContextsRecord
from model.formats.archive_commands import Step, import_steps, model_command
from model.formats.foreign import NOTHING_ACCEPTED, Acceptable
from schemas.app_names import app_name
from schemas.apps import ADMIN_APP
from schemas.commands import Import, MakeRule, SetPermission
from schemas.errors import Code, Refusal
from schemas.paths import check_token
from schemas.replies import Accepted

if TYPE_CHECKING:
    from llum.client import Client

IMPORT_TIMEOUT_S: Final = 60.0
"""Seconds for one command of an import, which makes up to thousands of things."""


class ImportReport(msgspec.Struct, kw_only=True):
    """What an import has made. All is zero when the archive had been imported before."""

    contexts: int = 0
    components: int = 0
    views: int = 0
    evidence: int = 0
    apps: int = 0
    permissions: int = 0
    rules: int = 0
    skipped: list[str] = []
    """What could not be had here, each with the reason: it had no effect in the model that was exported either."""
    plain: list[str] = []
    """What came in as less than it was, each with how to have it as it was."""

    @property
    def is_empty(self) -> bool:
        return not any(
            (self.contexts, self.components, self.views, self.evidence, self.apps, self.permissions, self.rules)
        )


async def export_person(client: "Client", user: str, file: BinaryIO, context: Sequence[str] = ()) -> None:
    """Write the archive of a person's model, or of one context of it, as it is now."""
    lines = ArchiveLines(check_token(user, "user"), time.time(), context)
    async for page in client.export(user, context):
        file.write(lines.add(page))
    file.write(lines.finish())


async def import_person(
    client: "Client", user: str, archive: Archive, accept: frozenset[Acceptable] = NOTHING_ACCEPTED
) -> ImportReport:
    """Make the model of `user` from an archive; go on with, or find nothing to do in, one that was made from it.

    Raises a `Fault` when the user has another model, or one that was made from it accepting something else.
    """
    try:
        await _send(client, user, Step(ADMIN_APP, model_command(archive, client.app, accept)))
    except Refusal as refusal:
        if refusal.code is Code.ID_REUSED:
            return await _fill(client, user, archive, accept)
        if refusal.code is not Code.ALREADY_EXISTS:
            raise
        message = f"{user} has a model that was not made from this archive, or not with the same --accept"
        raise Fault(message, "Import it under another name, or forget that person first.") from refusal
    return await _fill(client, user, archive, accept)


async def _fill(client: "Client", user: str, archive: Archive, accept: frozenset[Acceptable]) -> ImportReport:
    """Do what is left to do. Ids come from the archive: one that is in use is that of the same step."""
    report = ImportReport()
    owners = frozenset(app for app, about in (await client.list_apps(user)).items() if about.role == "owner")
    for step in import_steps(archive, client.app, accept, owners):
        await _take(client, user, step, report)
    report.plain = list(_made_plain(archive, accept, owners))
    return report


def _made_plain(archive: Archive, accept: frozenset[Acceptable], owners: frozenset[str]) -> Iterator[str]:
    """Say what was not taken as it stands in the archive."""
    corrections = 0
    for record in archive.records():
        if isinstance(record, ContextsRecord):
            corrections += sum(
                piece.correction
                for context in record.contexts
                for component in context.components
                for piece in component.evidence
            )
        elif isinstance(record, AppsRecord) and "roles" not in accept:
            for app, entry in record.apps.items():
                if entry.role == "owner" and app not in owners:
                    yield f"{app_name(app)} was an owner app, and is none here (--accept roles)"
    if corrections and "corrections" not in accept:
        yield f"{corrections} corrections are evidence like any other here (--accept corrections)"


async def _take(client: "Client", user: str, step: Step, report: ImportReport) -> None:
    try:
        outcome = await _send(client, user, step)
    except Refusal as refusal:
        if refusal.code is Code.ID_REUSED:
            # An earlier llum, or another owner's app, has written the same step in other bytes.
            return
        if not _is_dangling(step, refusal):
            raise
        report.skipped.append(f"{step.app}: {_named(step)}: {refusal}")
        return
    if not outcome.repeated:
        _count(report, step, outcome)


async def _send(client: "Client", user: str, step: Step) -> Accepted:
    return await AsApp(client.requests, user, step.app, LastWrites()).send(step.command, IMPORT_TIMEOUT_S)


def _count(report: ImportReport, step: Step, outcome: Accepted) -> None:
    if isinstance(step.command, Import):
        for kind, count in outcome.result.items():
            setattr(report, kind, getattr(report, kind) + count)
        return
    kind = {SetPermission: "permissions", MakeRule: "rules"}.get(type(step.command), "apps")
    setattr(report, kind, getattr(report, kind) + 1)


def _is_dangling(step: Step, refusal: Refusal) -> bool:
    """Tell whether it is about something that is not there: a setting, or a rule of an app that is not registered."""
    if isinstance(step.command, SetPermission):
        return refusal.code in (Code.NO_SUCH_CONTEXT, Code.NO_SUCH_COMPONENT)
    return isinstance(step.command, MakeRule) and refusal.code is Code.NO_SUCH_APP


def _named(step: Step) -> str:
    command = step.command
    assert isinstance(command, SetPermission | MakeRule), "only these may be skipped"
    kind = "permission" if isinstance(command, SetPermission) else "rule"
    return f"{kind} at /{'/'.join([*command.context, command.component or ''])}".rstrip("/")
