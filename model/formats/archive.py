"""Archives: a person's whole model as lines of JSON, which another installation can import.

    {"kind": "llum-archive", "version": 3, "user": "alice", "seq": 4711, "exported": 1795310000.0}
    {"kind": "contexts", "contexts": [...]}          any number, parents first: structure and evidence
    {"kind": "apps", "apps": {...}}                  with what each may do
    {"kind": "rules", "rules": [...]}
    {"kind": "decisions", "decisions": [...]}        what was decided about them, if anything was
    {"kind": "end", "records": 3, "sha256": "..."}   of the lines between the first and this one
    {"kind": "asked", "rows": [...], "more": 0}      who asked, for the person to read: an import leaves it

The first line and the last are not part of the digest, so an unchanged model gives the same digest whenever it is
exported, although each export is an ask.
Passwords and tokens are in no archive.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from model.formats.parcels import Piece
from schemas.asked import AskedReply, AskedRow
from schemas.decoding import UNDECODABLE
from schemas.definitions import ImportedContext, ImportedRule
from schemas.errors import Code, Refusal
from schemas.grants import ConsentDecision
from schemas.paths import Path
from schemas.permissions import Permission
from schemas.replies import ArchivedApp, ArchivedRule, ExportReply

ARCHIVE_VERSION: Final = 3

READABLE_VERSIONS: Final = (1, 2, ARCHIVE_VERSION)
"""Version 1 holds fewer members, and none that version 2 has not; version 3 may hold decisions, too."""


class Head(
    msgspec.Struct, kw_only=True, tag_field="kind", tag="llum-archive", omit_defaults=True, forbid_unknown_fields=True
):
    """The first line: whose model it is, and as of when."""

    version: int
    user: str
    """Whose model it was."""
    seq: int
    """The state that was exported."""
    exported: float
    """When, in seconds since 1970."""
    context: list[str] = []
    """What was exported; [] is the whole model. Contexts are named from there, rules and permissions from the root."""


class ContextsRecord(msgspec.Struct, kw_only=True, tag_field="kind", tag="contexts", forbid_unknown_fields=True):
    """A line with contexts, parents first, and their evidence."""

    contexts: list[ImportedContext]


class AppsRecord(msgspec.Struct, kw_only=True, tag_field="kind", tag="apps", forbid_unknown_fields=True):
    """A line with the apps and what each may do."""

    apps: dict[str, ArchivedApp]


class RulesRecord(msgspec.Struct, kw_only=True, tag_field="kind", tag="rules", forbid_unknown_fields=True):
    """A line with the rules."""

    rules: list[ArchivedRule]


class DecisionsRecord(msgspec.Struct, kw_only=True, tag_field="kind", tag="decisions", forbid_unknown_fields=True):
    """A line with what was decided about apps, the oldest first."""

    decisions: list[ConsentDecision]


class EndRecord(msgspec.Struct, kw_only=True, tag_field="kind", tag="end", forbid_unknown_fields=True):
    """The last line: how many there were, and their digest."""

    records: int
    sha256: str


class AskedRecord(msgspec.Struct, kw_only=True, tag_field="kind", tag="asked", forbid_unknown_fields=True):
    """A line behind the end: who asked about the person where the archive was made. It is no part of the model."""

    rows: list[AskedRow]
    more: int
    """Rows for which there was no room."""


Record = ContextsRecord | AppsRecord | RulesRecord | DecisionsRecord

_head: Final = msgspec.json.Decoder(Head)
_line: Final = msgspec.json.Decoder(Record | EndRecord)
_encode: Final = msgspec.json.Encoder().encode


class Archive(NamedTuple):
    """An archive that is complete and unchanged."""

    head: Head
    digest: str
    lines: Callable[[], Iterable[bytes]]
    """Gives the lines after the first, as often as they are wanted: an archive may be larger than memory."""

    def records(self) -> Iterator[Record]:
        """Give the records one after the other."""
        for line in self.lines():
            record = _line.decode(line)
            if isinstance(record, EndRecord):
                return
            yield record


class ArchiveLines:
    """Makes lines of the pages of an export, as they come."""

    def __init__(self, user: str, exported: float, context: Sequence[str] = ()) -> None:
        self._user = user
        self._context = list(context)
        self._exported = exported
        self._digest = hashlib.sha256()
        self._records = 0
        self._first: ExportReply | None = None

    def add(self, page: ExportReply) -> bytes:
        """Give the lines of a page; the first one must come first."""
        begin = self._begin(page) if self._first is None else b""
        return begin + self._line(ContextsRecord(contexts=page.contexts))

    def finish(self, asked: AskedReply) -> bytes:
        """Give the lines that say that the archive is complete, and who asked. What was told is in the evidence."""
        assert self._first is not None, "an export has at least one page"
        records = self._line(AppsRecord(apps=self._first.apps)) + self._line(RulesRecord(rules=self._first.rules))
        if self._first.decisions:
            records += self._line(DecisionsRecord(decisions=self._first.decisions))
        end = EndRecord(records=self._records, sha256=self._digest.hexdigest())
        history = AskedRecord(rows=[row for row in asked.rows if row.verb != "tell"], more=asked.more)
        return records + _encode(end) + b"\n" + _encode(history) + b"\n"

    def _begin(self, page: ExportReply) -> bytes:
        self._first = page
        head = Head(
            version=ARCHIVE_VERSION, user=self._user, seq=page.seq, exported=self._exported, context=self._context
        )
        return _encode(head) + b"\n"

    def _line(self, record: Record) -> bytes:
        line = _encode(record) + b"\n"
        self._digest.update(line)
        self._records += 1
        return line


def read_head(line: bytes) -> Head:
    """Read the first line. Raises `malformed`, `unsupported_version`."""
    try:
        head = _head.decode(line)
    except UNDECODABLE as error:
        hint = "`llum admin person export` makes one."
        raise Refusal(Code.MALFORMED, "it is not an archive of a person", hint=hint) from error
    if head.version not in READABLE_VERSIONS:
        message = f"it is an archive of version {head.version}, this llum reads versions up to {ARCHIVE_VERSION}"
        hint = "Import it with a llum that made it, or export it again."
        raise Refusal(Code.UNSUPPORTED_VERSION, message, hint=hint)
    return head


def check_lines(lines: Iterable[bytes]) -> str:
    """See that nothing after the first line is missing or changed, and give the digest. Raises `malformed`."""
    digest = hashlib.sha256()
    for records, line in enumerate(lines):
        try:
            record = _line.decode(line)
        except UNDECODABLE as error:
            hint = "It has been changed or cut off."
            raise Refusal(Code.MALFORMED, f"line {records + 2}: {error}", hint=hint) from error
        if isinstance(record, EndRecord):
            if (record.records, record.sha256) != (records, digest.hexdigest()):
                raise Refusal(Code.MALFORMED, "it has been changed since it was exported", hint="Export it again.")
            return record.sha256
        digest.update(line)
    raise Refusal(Code.MALFORMED, "it ends too early", hint="It was cut off; export it again.")


class Attached(NamedTuple):
    """What stands in records of its own and belongs to contexts and components, by their paths from the root."""

    rules: dict[Path, list[ImportedRule]]
    settings: dict[Path, dict[str, Permission]]
    component_settings: dict[Path, dict[str, Permission]]


def attached_rules(archive: Archive, *, with_apps: bool) -> dict[Path, list[ImportedRule]]:
    """Gather the rules by the path of their component. Without their apps they are the importer's."""
    rules: dict[Path, list[ImportedRule]] = {}
    for record in archive.records():
        for rule in record.rules if isinstance(record, RulesRecord) else ():
            app = rule.app if with_apps else None
            imported = ImportedRule(statement=rule.statement, user=rule.user, app=app)
            rules.setdefault((*rule.path, rule.component), []).append(imported)
    return rules


def pieces_of(archive: Archive, attached: Attached) -> Iterator[Piece]:
    """Take the contexts apart, in their order, each with what is attached to it."""
    base, waiting = archive.head.context, dict(attached.rules)
    for record in archive.records():
        if isinstance(record, ContextsRecord):
            for context in record.contexts:
                yield from _context_pieces(context, (*base, *context.path), attached._replace(rules=waiting))


def _context_pieces(context: ImportedContext, path: Path, attached: Attached) -> Iterator[Piece]:
    """The rules are given where a component comes first: it may go on in another record."""
    settings = attached.settings.get(path, {})
    head = msgspec.structs.replace(context, components=[], views=[], permissions=settings)
    yield Piece(head)
    for component in context.components:
        at = (*path, component.definition.name)
        settings = attached.component_settings.get(at, {})
        item = msgspec.structs.replace(component, evidence=[], rules=[], permissions=settings)
        yield Piece(head, item)
        for part in component.evidence + attached.rules.pop(at, []):
            yield Piece(head, item, part)
    for view in context.views:
        yield Piece(head, view)
