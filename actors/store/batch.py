"""The rows of one transaction, gathered while commands are applied."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec

from actors.store import checksums, sql, sql_following
from actors.store.checksums import cause_row, user_row
from actors.store.digests import Landmark, stored
from actors.store.entries import entry_of
from actors.store.keys import CommandKey
from actors.store.parts import ForgottenPart
from actors.store.restating import Chunk
from actors.store.sql import KIND_NUMBERS
from model.changes import (
    AddEvidence,
    Change,
    CountCause,
    ForgetThePart,
    ForgetUser,
    ItemKind,
    KeepHeldOrder,
    MarkWithdrawn,
    NoteConsequence,
    PutItem,
    Restated,
)
from model.packing import pack
from model.permissions import grantee_of
from model.state import Model
from schemas.paths import Path, format_path, format_path_below
from schemas.replies import Accepted, Outcome

EvidenceRow = tuple[int, int, int, int, int, float | None, str]
"""Component, seq, n, kind, time of acceptance (microseconds), useby, JSON."""

HeldRow = tuple[int, float, int, int, int]
"""Component, since when it held (seconds since 1970), seq, n, kind."""

WithdrawalRow = tuple[int, int, int, int, int, str]
"""Component, seq and n of the evidence, seq and time (microseconds) of the withdrawal, JSON."""

ConsequenceRow = tuple[int, str, int, int, int, int, int, int, str | None]
"""Key of the user, grantee, component, seq and n of the cause, seq, n and component of what follows, JSON."""

CommandRow = tuple[int, int, int, int, str, str, str | None, bytes | None, int | None]
"""Seq, time (microseconds), hash of the key, user, app, id, outcome, digest, digest of the body. Of a forget none."""

_Causes = tuple[int, str, int]
"""The first three of a `ConsequenceRow`."""

_encode = msgspec.json.encode


_INT64 = range(-(2**63), 2**63)


class Unwritable(Exception):  # noqa: N818 - says what the rows are
    """Rows that SQLite refuses for what they are, whatever the state of the disk."""


class ComponentRows(msgspec.Struct):
    """The rows of a batch that are about one component."""

    evidence: list[EvidenceRow] = []
    held: dict[tuple[int, int], float] = {}
    """Since when pieces held, by seq and n, if not from their acceptance on."""
    begins_held_order: bool = False
    """What is told earlier is in the order of holding only once this is committed."""
    withdrawals: list[WithdrawalRow] = []


class Batch:
    """The rows of one transaction, gathered while commands are applied."""

    __slots__ = (
        "_about",
        "_following",
        "_sorted",
        "applied_seq",
        "causes",
        "chunk",
        "commands",
        "consequences",
        "evidence",
        "forgotten",
        "forgotten_part",
        "held",
        "items",
        "kept_in_held_order",
        "last",
        "leaves_traces",
        "level",
        "log_sum",
        "outbox",
        "relayed_seq",
        "state_sum",
        "structures",
        "users",
        "withdrawals",
    )

    def __init__(self, relayed_seq: int = 0) -> None:
        self.relayed_seq = relayed_seq
        """What up to here was to leave the partition, has left it."""
        self.users: dict[int, tuple[int, str, int, int, int, int]] = {}
        self.items: list[tuple[int, ItemKind, str, int, int, str | None]] = []
        self.structures: dict[int, bytes | None] = {}
        """Of users whose items have changed, by key: the structure in one piece; empty if it is too large for that.

        None: it was not added since the last change, so only the items are written.
        """
        self.evidence: list[EvidenceRow] = []
        self.held: list[HeldRow] = []
        self.kept_in_held_order: list[tuple[int, int]] = []
        """Components, each with the sequence of the command from which on its evidence is in `held` by itself."""
        self.commands: list[CommandRow] = []
        self.outbox: list[tuple[int, int, str, str]] = []
        self.withdrawals: list[WithdrawalRow] = []
        self.consequences: list[ConsequenceRow] = []
        self.causes: dict[tuple[int, str], tuple[int, str, int, int]] = {}
        self.forgotten: list[tuple[int, str, int]] = []
        self.forgotten_part: ForgottenPart | None = None
        self.chunk: Chunk | None = None
        """A part of what is said anew of a person. It, a part that is forgotten, or a person, is alone in its batch."""
        self.leaves_traces = False
        """Whether the file must be written anew after this, for the sake of what it deletes."""
        self.level: int | None = None
        """What the level of the partition was raised to; None: it was not."""
        self.applied_seq = 0
        self.last: Landmark | None = None
        """The last command that is applied with this batch; set when the batch is to be written."""
        self.log_sum = 0
        """The sum of the digests of all commands that are kept then."""
        self.state_sum = 0
        """The sum of the checksums of all rows that models are made of then, but for a part that goes with it."""
        self._about: dict[int, ComponentRows] = {}
        self._following: tuple[int, dict[_Causes, list[ConsequenceRow]]] = (0, {})
        """What waits of consequences, as far as it is sorted in."""
        self._sorted = (0, 0, 0)
        """So many rows of evidence, of `held` and of withdrawals are in there."""

    @property
    def changes_commands(self) -> bool:
        """Whether commands of earlier batches go or come with it."""
        return bool(self.forgotten) or (self.chunk is not None and self.chunk.is_last)

    def about(self, component_no: int) -> ComponentRows | None:
        """Give what waits about a component. Rows are sorted in when somebody asks, so that tells need not do it."""
        evidence, held, withdrawals = self._sorted
        if evidence < len(self.evidence) or withdrawals < len(self.withdrawals):
            for row in self.evidence[evidence:]:
                self._about.setdefault(row[0], ComponentRows()).evidence.append(row)
            for number, since, seq, n, _ in self.held[held:]:
                self._about[number].held[seq, n] = since
            for number, _ in self.kept_in_held_order:
                self._about.setdefault(number, ComponentRows()).begins_held_order = True
            for mark in self.withdrawals[withdrawals:]:
                self._about.setdefault(mark[0], ComponentRows()).withdrawals.append(mark)
            self._sorted = (len(self.evidence), len(self.held), len(self.withdrawals))
        return self._about.get(component_no)

    def following(self, user_key: int, grantee: str, cause_no: int) -> list[ConsequenceRow]:
        """Give what waits of what follows from a component here, or from another person's model."""
        done, found = self._following
        for row in self.consequences[done:]:
            found.setdefault(row[:3], []).append(row)
        self._following = (len(self.consequences), found)
        return found.get((user_key, grantee, cause_no), [])

    def add_user(self, key: int, name: str, seq: int, time_us: int, log_sum: int = 0, state_sum: int = 0) -> None:
        self.users[key] = (key, name, seq, time_us, log_sum, state_sum)

    def add_changes(self, user_key: int, user: str, changes: Sequence[Change], seq: int, time_us: int) -> int:
        """Add the rows of one command, and give what the person's share of the sum of the state grows by."""
        share = 0
        items: dict[tuple[str, str], int] = {}
        above: Path = ()
        above_key = ""
        for change in changes:
            if type(change) is AddEvidence:
                row = _evidence_row(change, seq)
                self.evidence.append(row)
                share += checksums.of_evidence(row, change.body)
                if change.evidence.cause is not None:
                    share += self._add_consequence(user, _consequence_row(user_key, change, seq))
                if change.held is not None:
                    kind = KIND_NUMBERS[change.kind]
                    self.held.append((change.component_no, change.held, seq, change.n, kind))
            elif type(change) is PutItem:
                body = None if change.body is None else change.body.decode()
                self.structures[user_key] = None
                path = change.path
                if path[:-1] != above:
                    above, above_key = path[:-1], format_path(path[:-1])
                key = format_path_below(above, above_key, path[-1]) if path else ""
                self.items.append((user_key, change.kind, key, seq, time_us, body))
                # A command may set an item twice: what it set last is stored.
                items[change.kind, key] = checksums.of_item(user, change.kind, key, seq, time_us, body)
            else:
                share += self._add_rare(user_key, user, change, seq, time_us)
        return share + sum(items.values()) if items else share

    def add_structure(self, user_key: int, model: Model) -> None:
        """Write the structure of a model in one piece too, if it has changed. The model must be what the items make."""
        if self.structures.get(user_key, b"") is None:
            self.structures[user_key] = pack(model) or b""

    def _add_consequence(self, user: str, row: ConsequenceRow) -> int:
        self.consequences.append(row)
        return checksums.of_consequence(user, row[1:])

    def _add_rare(self, user_key: int, user: str, change: Change, seq: int, time_us: int) -> int:
        if isinstance(change, MarkWithdrawn):
            mark = (change.component_no, change.seq, change.n, seq, time_us, change.body.decode())
            self.withdrawals.append(mark)
            return checksums.of_withdrawal(mark)
        if isinstance(change, NoteConsequence):
            row = (user_key, "", change.component_no, change.seq, change.n, seq, 0, 0, change.body.decode())
            return self._add_consequence(user, row)
        if isinstance(change, KeepHeldOrder):
            self.kept_in_held_order.append((change.component_no, seq))
        elif isinstance(change, CountCause):
            self.causes[user_key, change.root] = (user_key, change.root, seq, change.count)
        elif isinstance(change, ForgetUser):
            self.forgotten.append((user_key, user, seq))
            self.leaves_traces = True
        elif isinstance(change, ForgetThePart):
            self.forgotten_part = ForgottenPart(user_key, user, seq, change.part)
            self.leaves_traces = True
        elif not isinstance(change, AddEvidence | PutItem | Restated) and seq > self.relayed_seq:
            self.add_entry(seq, *entry_of(change, user, seq))
        return 0

    def add_chunk(self, chunk: Chunk) -> None:
        """Keep a part of what is said anew."""
        self.chunk = chunk
        self.leaves_traces = chunk.is_last

    def add_entry(self, seq: int, kind: str, body: bytes) -> None:
        """Leave something in the outbox."""
        last = self.outbox[-1] if self.outbox else None
        n = last[1] + 1 if last is not None and last[0] == seq else 0
        self.outbox.append((seq, n, kind, body.decode()))

    def add_command(
        self,
        key: CommandKey,
        user_key: int,
        seq: int,
        time_us: int,
        outcome: Outcome,
        digests: tuple[bytes | None, int | None] = (None, None),
    ) -> int:
        """Remember a command's first outcome. A plain acceptance is written as null: it is the common case.

        Gives the checksum of the row.
        """
        plain = type(outcome) is Accepted and outcome.result is None
        text = None if plain else _encode(outcome).decode()
        self.commands.append((seq, time_us, key.hashed, user_key, key.app, key.id, text, *digests))
        return checksums.of_command(seq, time_us, key.hashed, text, *digests)

    def add_forget(self, key: CommandKey, seq: int, time_us: int) -> None:
        """Remember that a forget was accepted by its hash alone: it names nobody."""
        self.commands.append((seq, time_us, key.hashed, 0, "", "", None, None, None))

    def writes(self, era: int) -> Iterator[tuple[str, Iterable[Sequence[Any] | Mapping[str, Any]]]]:
        """Give the statements of the transaction, each with its rows."""
        yield from self._rare_writes()
        yield sql.PUT_USER, [user_row(*user) for user in self.users.values()]
        yield sql.PUT_ITEM, self.items
        if self.structures:
            yield sql.DROP_STRUCTURE, [(key,) for key, body in self.structures.items() if not body]
            yield sql.PUT_STRUCTURE, [(key, body, crc32(body)) for key, body in self.structures.items() if body]
        yield sql.ADD_EVIDENCE, self.evidence
        yield sql.KEEP_HELD_ORDER, self.kept_in_held_order
        yield sql.ADD_HELD, self.held
        yield sql.ADD_COMMAND, [(*row, era) for row in self.commands]
        yield sql.ADD_OUTBOX, [(*entry, checksums.of_row(*entry)) for entry in self.outbox]
        yield sql.SET_META, [(self.applied_seq, "applied_seq"), (stored(self.log_sum), "log_sum")]
        yield sql.SET_META, [(self.state_sum, "state_sum")]
        if self.level is not None:
            yield sql.NOTE_LEVEL, [(self.level,)]
        if self.last is not None:
            yield sql.SET_META, [(self.last.time_us, "last_time_us"), (self.last.digest, "last_digest")]

    def _rare_writes(self) -> Iterator[tuple[str, Iterable[Sequence[Any] | Mapping[str, Any]]]]:
        if self.forgotten:
            people = [{"key": key, "user": user, "seq": seq} for key, user, seq in self.forgotten]
            yield from ((statement, people) for statement in sql.FORGET_USER)
        if self.leaves_traces:
            yield sql.SET_META, [(self.applied_seq, "traces")]
        yield sql.ADD_WITHDRAWAL, self.withdrawals
        yield sql_following.ADD_CONSEQUENCE, self.consequences
        if self.causes:
            yield sql.PUT_CAUSE, [cause_row(*cause) for cause in self.causes.values()]
            yield sql.DROP_IDLE_CAUSES, [(user_key,) for user_key in {user_key for user_key, _ in self.causes}]


def _evidence_row(change: AddEvidence, seq: int) -> EvidenceRow:
    number, body = change.component_no, change.body.decode()
    return (number, seq, change.n, KIND_NUMBERS[change.kind], change.creation_us, change.useby, body)


def _consequence_row(user_key: int, change: AddEvidence, seq: int) -> ConsequenceRow:
    evidence, cause = change.evidence, change.evidence.cause
    assert cause is not None, "only what follows from evidence is noted"
    grantee = "" if cause.person is None else grantee_of(evidence.source, cause.person)
    return (user_key, grantee, cause.number, cause.seq, cause.n, seq, change.n, change.component_no, None)


def check_writable(changes: Sequence[Change]) -> None:
    """Raise `Unwritable` unless the rows of these changes can be written: what is applied must be committed some day.

    The checks of the model keep such changes from being made, so this finds our own faults. Bodies are JSON, which is
    text that can be written.
    """
    texts: list[str] = []
    for change in changes:
        if type(change) is AddEvidence:
            if change.creation_us not in _INT64 or change.component_no not in _INT64:
                raise Unwritable("a number of evidence is out of bounds")
        elif type(change) is PutItem:
            texts += change.path
        elif type(change) is MarkWithdrawn or type(change) is NoteConsequence:
            if change.seq not in _INT64 or change.n not in _INT64:
                raise Unwritable("a piece of evidence has a number out of bounds")
        elif type(change) is CountCause:
            texts.append(change.root)
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise Unwritable("a text is not Unicode") from error
