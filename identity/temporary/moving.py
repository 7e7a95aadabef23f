"""What a temporary user has done becomes that of the account which they make: an export, and an import of it.

Evidence keeps its times, its order and its sources. Nothing names the temporary user any more. The commands' ids come
from what they hold, so doing it again after a break goes on where it stopped.
"""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from bus.as_app import AsApp, LastWrites, Sending
from bus.importing import Imported, send_parts
from model.formats.archive import Archive, ArchiveLines, check_lines, read_head
from model.formats.archive_commands import import_parts
from schemas.apps import OWNER_APP
from schemas.asked import AskedReply
from schemas.definitions import ImportedComponent, ImportedContext
from schemas.queries import Export
from schemas.replies import ExportReply

ABOUT_THE_MODEL: Final = "modelinfo"
"""The context that says whose model it is: it stays as it is in the account's own."""


async def move_model(requests: Sending, temporary: str, user: str) -> Imported:
    """Put what is in a temporary user's model into that of an account. Raises `Refusal`, `Transient`."""
    archive = await _archive(requests, temporary, user)
    model = AsApp(requests, user, OWNER_APP, LastWrites())
    return await send_parts(model, lambda: import_parts(archive, frozenset({"corrections"})))


async def _archive(requests: Sending, temporary: str, user: str) -> Archive:
    lines = ArchiveLines(user, 0.0)
    made = [lines.add(_as_of(page, temporary, user)) async for page in _pages(requests, temporary)]
    made.append(lines.finish(AskedReply(seq=0)))
    head, *rest = b"".join(made).splitlines(keepends=True)
    return Archive(read_head(head), check_lines(rest), lambda: rest)


async def _pages(requests: Sending, user: str) -> AsyncIterator[ExportReply]:
    model, query = AsApp(requests, user, OWNER_APP, LastWrites()), Export()
    while True:
        page = await model.find(query, ExportReply)
        yield page
        if page.next is None:
            return
        query = Export(after=page.next)


def _as_of(page: ExportReply, temporary: str, user: str) -> ExportReply:
    """Give a page as if it had been of the account's model."""
    contexts = [_context(one, temporary, user) for one in page.contexts if one.path[:1] != [ABOUT_THE_MODEL]]
    return msgspec.structs.replace(page, contexts=contexts)


def _context(context: ImportedContext, temporary: str, user: str) -> ImportedContext:
    return msgspec.structs.replace(context, components=[_component(one, temporary, user) for one in context.components])


def _component(component: ImportedComponent, temporary: str, user: str) -> ImportedComponent:
    evidence = [
        msgspec.structs.replace(piece, owner=user) if piece.owner == temporary else piece
        for piece in component.evidence
    ]
    return msgspec.structs.replace(component, evidence=evidence)
