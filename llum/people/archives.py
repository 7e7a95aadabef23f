"""Exporting a person into an archive, and importing one."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from bus.as_app import AsApp, LastWrites
from bus.importing import Imported, send_parts
from llum.failures import Fault
from model.formats.archive import AppsRecord, Archive, ArchiveLines, ContextsRecord
from model.formats.archive_commands import check_archive, import_parts, model_command
from model.formats.foreign import NOTHING_ACCEPTED, Acceptable
from schemas.app_names import app_name
from schemas.apps import ADMIN_APP
from schemas.commands import Import
from schemas.errors import Code, Refusal
from schemas.paths import check_token, format_path

if TYPE_CHECKING:
    from llum.client import Client


class ImportReport(msgspec.Struct, kw_only=True):
    """What an import has made. All is zero when the archive had been imported before."""

    contexts: int = 0
    components: int = 0
    views: int = 0
    evidence: int = 0
    apps: int = 0
    permissions: int = 0
    rules: int = 0
    decisions: int = 0
    """What was decided about apps: it is kept as history."""
    skipped: list[str] = []
    """What could not be had here, each with the reason: it had no effect in the model that was exported either."""
    plain: list[str] = []
    """What came in as less than it was, each with how to have it as it was."""

    @property
    def is_empty(self) -> bool:
        return not any(
            (
                self.contexts,
                self.components,
                self.views,
                self.evidence,
                self.apps,
                self.permissions,
                self.rules,
                self.decisions,
            )
        )


async def export_person(
    client: "Client",
    user: str,
    file: BinaryIO,
    context: Sequence[str] = (),
    on_progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the archive of a person's model, or of one context of it, as it is now.

    `on_progress` takes a line that says how far it has got.
    """
    lines, size = ArchiveLines(check_token(user, "user"), time.time(), context), 0
    async for page in client.export(user, context):
        size += file.write(lines.add(page))
        on_progress(f"exported {size / 1e6:,.1f} MB of {user}")
    file.write(lines.finish(await client.asked(user, context)))


async def import_person(
    client: "Client",
    user: str,
    archive: Archive,
    accept: frozenset[Acceptable] = NOTHING_ACCEPTED,
    on_progress: Callable[[str], None] = lambda _: None,
) -> ImportReport:
    """Make the model of `user` from an archive; go on with, or find nothing to do in, one that was made from it.

    All of it is tried before anything is made. `on_progress` takes a line that says how far it has got. Raises a
    `Fault` when the user has another model, or one that was made from it accepting something else.
    """
    parts = check_archive(archive, user, client.app, accept)
    await _make_model(client, user, archive, accept)
    model = AsApp(client.requests, user, client.app, LastWrites())

    def shown() -> Iterator[Import]:
        for number, part in enumerate(import_parts(archive, accept), 1):
            on_progress(f"importing {user}: part {number} of {parts}")
            yield part

    report = _report(await send_parts(model, shown, parts))
    owners = frozenset(app for app, about in (await client.list_apps(user)).items() if about.role == "owner")
    report.plain = list(_made_plain(archive, accept, owners))
    return report


async def _make_model(client: "Client", user: str, archive: Archive, accept: frozenset[Acceptable]) -> None:
    command = model_command(archive, client.app, accept)
    try:
        await AsApp(client.requests, user, ADMIN_APP, LastWrites()).send(command)
    except Refusal as refusal:
        if refusal.code is Code.ID_REUSED:
            return  # ids come from the archive: an earlier llum, or another owner's app, has made it of this one
        if refusal.code is not Code.ALREADY_EXISTS:
            raise
        message = f"{user} has a model that was not made from this archive, or not with the same --accept"
        raise Fault(message, "Import it under another name, or forget that person first.") from refusal


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


def _report(imported: Imported) -> ImportReport:
    report = ImportReport(skipped=told_skipped(imported))
    for kind, count in imported.counts.items():
        setattr(report, kind, count)
    return report


def told_skipped(imported: Imported) -> list[str]:
    """Say what an import has left out, and why."""
    return [
        f"{one['what']} at /{format_path(one['path'])}: the app {app_name(one['app'])} is not registered"
        for one in imported.skipped
    ]
