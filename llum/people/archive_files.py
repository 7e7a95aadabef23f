"""Archives: a person's whole model in one file of JSON lines, which another installation can import.

    {"kind": "llum-archive", "version": 1, "user": "alice", "seq": 4711, "exported": 1795310000.0}
    {"kind": "contexts", "contexts": [...]}          any number, parents first: structure and evidence
    {"kind": "apps", "apps": {...}}                  with what each may do
    {"kind": "rules", "rules": [...]}
    {"kind": "end", "records": 3, "sha256": "..."}   of the lines between the first and this one

The first line is not part of the digest, so an unchanged model gives the same digest whenever it is exported.
Passwords and tokens are in no archive.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import msgspec

from llum.failures import Fault
from schemas.definitions import ImportedContext
from schemas.replies import ExportReply

ARCHIVE_VERSION: Final = 1

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one line, for memory: a line holds one page of an export, which fits into a message of the bus."""


class Head(
    msgspec.Struct, kw_only=True, tag_field="kind", tag="llum-archive", omit_defaults=True, forbid_unknown_fields=True
):
    version: int
    user: str
    """Whose model it was."""
    seq: int
    """The state that was exported."""
    exported: float
    """When, in seconds since 1970."""
    context: list[str] = []
    """What was exported; [] is the whole model. Contexts are named from there, rules and settings from the root."""


class Contexts(msgspec.Struct, kw_only=True, tag_field="kind", tag="contexts", forbid_unknown_fields=True):
    contexts: list[ImportedContext]


class Setting(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is set for an app in a context, or for one component of it. As in the command `set_permission`."""

    context: list[str]
    component: str | None = None
    ask: bool | None = None
    tell: bool | None = None
    resolvers: list[str] | None = None
    filters: list[str] | None = None
    bind_resolver: str | None = None
    bind_view: str | None = None
    expires: float | None = None


class AppEntry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    description: str
    role: Literal["owner", "app"]
    permissions: list[Setting]


class Apps(msgspec.Struct, kw_only=True, tag_field="kind", tag="apps", forbid_unknown_fields=True):
    apps: dict[str, AppEntry]


class RuleEntry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    path: list[str]
    """Of the context."""
    component: str
    statement: str
    app: str


class Rules(msgspec.Struct, kw_only=True, tag_field="kind", tag="rules", forbid_unknown_fields=True):
    rules: list[RuleEntry]


class End(msgspec.Struct, kw_only=True, tag_field="kind", tag="end", forbid_unknown_fields=True):
    records: int
    sha256: str


Record = Contexts | Apps | Rules

_head: Final = msgspec.json.Decoder(Head)
_line: Final = msgspec.json.Decoder(Contexts | Apps | Rules | End)
_encode: Final = msgspec.json.Encoder().encode


class Archive(NamedTuple):
    """An archive that is complete and unchanged. Its records are read from the file, as often as they are wanted."""

    path: Path
    head: Head
    digest: str

    def records(self) -> Iterator[Record]:
        """Give the records one after the other: an archive may be larger than memory."""
        with self.path.open("rb") as file:
            file.readline(MAX_LINE_BYTES)
            for line in iter(lambda: file.readline(MAX_LINE_BYTES), b""):
                record = _line.decode(line)
                if not isinstance(record, End):
                    yield record


class ArchiveWriter:
    """Writes the pages of an export, as they come, into a file."""

    def __init__(self, file: BinaryIO, user: str, exported: float, context: Sequence[str] = ()) -> None:
        self._file = file
        self._user = user
        self._context = list(context)
        self._exported = exported
        self._digest = hashlib.sha256()
        self._records = 0
        self._first: ExportReply | None = None

    def add(self, page: ExportReply) -> None:
        """Write a page; the first one must come first."""
        if self._first is None:
            self._first = page
            head = Head(
                version=ARCHIVE_VERSION,
                user=self._user,
                seq=page.seq,
                exported=self._exported,
                context=self._context,
            )
            self._file.write(_encode(head) + b"\n")
        self._write(Contexts(contexts=page.contexts))

    def finish(self) -> None:
        """Write what says that the archive is complete."""
        assert self._first is not None, "an export has at least one page"
        self._write(Apps(apps=msgspec.convert(self._first.apps, dict[str, AppEntry], from_attributes=True)))
        self._write(Rules(rules=msgspec.convert(self._first.rules, list[RuleEntry], from_attributes=True)))
        self._file.write(_encode(End(records=self._records, sha256=self._digest.hexdigest())) + b"\n")

    def _write(self, record: Record) -> None:
        line = _encode(record) + b"\n"
        self._digest.update(line)
        self._records += 1
        self._file.write(line)


def open_archive(path: Path) -> Archive:
    """Read an archive through once, and see that nothing of it is missing or changed. Raises a `Fault`."""
    try:
        with path.open("rb") as file:
            head = _read_head(path, file.readline(MAX_LINE_BYTES))
            return Archive(path, head, _read_records(path, file))
    except OSError as error:
        raise Fault(f"cannot read {path}: {error.strerror or error}") from error


def _read_head(path: Path, line: bytes) -> Head:
    try:
        head = _head.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Fault(f"{path} is not an archive of a person", "`llum admin person export` makes one.") from error
    if head.version != ARCHIVE_VERSION:
        raise Fault(
            f"{path} is an archive of version {head.version}, this llum reads version {ARCHIVE_VERSION}",
            "Import it with a llum that made it, or export it again.",
        )
    return head


def _read_records(path: Path, file: BinaryIO) -> str:
    digest = hashlib.sha256()
    for records, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b"")):
        try:
            record: Any = _line.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Fault(f"{path}, line {records + 2}: {error}", "It has been changed or cut off.") from error
        if isinstance(record, End):
            if (record.records, record.sha256) != (records, digest.hexdigest()):
                raise Fault(f"{path} has been changed since it was exported", "Export it again.")
            return record.sha256
        digest.update(line)
    raise Fault(f"{path} ends too early", "It was cut off; export it again.")


def root_of(archive: Archive) -> ImportedContext:
    """Give the model's root, which an export begins with. Raises a `Fault`."""
    for record in archive.records() if not archive.head.context else ():
        if isinstance(record, Contexts):
            for context in record.contexts:
                if not context.path:
                    return context
    raise Fault(f"{archive.path} is an archive of a part of a model", "Export the whole of it.")
