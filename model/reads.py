"""What the model wants read from what is stored, and what came of it. The shard turns a `Read` into one query.

The generators of the model yield a list of `Read`s and are sent the list of what each has `Found`, in the same order.
Or they yield a `Follow` and are sent a list of `Followed`. What is read is what was stored before the command or the
query.
"""

from collections.abc import Generator
from typing import Any, Final, Literal, TypeVar

import msgspec

from schemas.causes import CauseRange
from schemas.evidence import EvidenceType

MAX_READ_BYTES: Final = 64 * 1024 * 1024
"""Bytes of evidence that one read may bring into memory, exceeded by at most one piece."""

EvidenceKind = Literal["plain", "goal", "correction"]
"""Evidence without the goal flag, with it, or the owner's corrections, whatever their flags. A piece has one kind."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence of one component within all bounds that are set, given back ascending: by acceptance, or by holding."""

    component_no: int
    seq_max: int
    """The last sequence that counts."""
    until_us: int | None = None
    """The last time of acceptance that counts."""
    kind: EvidenceKind | None = None
    """Only evidence of this kind."""
    since_us: int | None = None
    """The first time of acceptance that counts."""
    after: tuple[int, int] | None = None
    """Only what comes after this `(seq, n)`."""
    before: tuple[int, int] | None = None
    """Only what comes before this `(seq, n)`, which is within the other bounds."""
    by_held: bool = False
    """The order is that of holding, `(held, seq, n)`; otherwise that of acceptance, `(seq, n)`."""
    held_from: float | None = None
    """With `by_held`: only what held from this time on, seconds since 1970."""
    held_until: float | None = None
    """Only what held from this time on or from an earlier one."""
    after_held: float | None = None
    """With `by_held` and `after`: since when that piece held."""
    before_held: float | None = None
    """Likewise of `before`."""
    held_order: bool = False
    """The component is kept in the order of holding; otherwise that is the order of its acceptance."""
    unexpired_at: float | None = None
    """Only what has no `useby` or one later than this."""
    types: frozenset[EvidenceType] | None = None
    """Only evidence of these types; None: of all."""
    withdrawn: Literal["none", "left_out", "marked"] = "none"
    """What has been withdrawn by then: there is none (so nothing looks for it), it is left out, or it is marked."""
    withdrawn_by: int | None = None
    """What counts are withdrawals up to this sequence, at any time; None: those within the bounds above."""
    newest: int | None = None
    """Only so many of the newest."""
    limit: int
    """At most so many, the oldest first (with `newest`: the same number). A count is not limited."""
    max_bytes: int = MAX_READ_BYTES
    """No more once there are so many bytes, but always the first; a read of one piece looks at nothing else."""
    count_only: bool = False
    by_source: bool = False
    """Only who has told how much of it: see `Found.bodies`."""


class Found(msgspec.Struct):
    """The answer to a `Read`."""

    bodies: list[bytes] = []
    """JSON of `schemas.evidence.Evidence`. With `by_source`: `source`, `count`, `first_us`, `last_us`; of one source
    there may be several, that add up."""
    count: int = 0
    """With `count_only`: how many there are."""
    cut: bool = False
    """There may be more: `max_bytes` ended the reading. With `newest` it is the oldest that are missing."""


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from evidence of a person, now: what rules have told, and what they have sent elsewhere."""

    user: str
    origins: tuple[CauseRange, ...]
    limit: int
    """At most so many, in the order of the origins, and of one by the sequences of the causing and following piece."""


class Followed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that follows from evidence. The answer to a `Follow` is a list of them."""

    origin: int
    """The index of the origin."""
    cause_seq: int
    cause_n: int
    seq: int
    """Of the command by which it became known; with `n` and `component_no` the piece of evidence."""
    n: int = 0
    component_no: int = 0
    """0: it is not evidence of this model."""
    withdrawn: bool = False
    sent: bytes | None = None
    """JSON of `schemas.effects.Sent`, if it is not evidence of this model."""

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Its place among what follows from one origin."""
        return self.cause_seq, self.cause_n, self.seq, self.n


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it was. An answer yields it, and is sent that model, or None if it had not yet been made.

    The model's `seq` and `time_us` are those of the last command that counts.
    """

    user: str
    seq: int
    """The last sequence that counts."""
    until_us: int | None = None
    """The last time of acceptance that counts, microseconds since 1970; None: all up to the sequence."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked about a person. An answer yields it, and is sent `AskedRow`s, which may have to be added up."""

    user: str
    since: float | None = None
    """Only what was asked at or after this time, seconds since 1970; None: all that is kept."""


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """An answer yields it, and is sent what was decided about apps: each `ConsentDecision` as JSON, oldest first."""

    user: str
    app: str | None = None
    """Only about this app."""
    seq: int
    """The last sequence that counts."""
    limit: int
    """So many of the latest."""


class Pause(msgspec.Struct, frozen=True):
    """Others may go on. An answer yields it amid long work, and is sent nothing."""


T = TypeVar("T")
Reading = Generator[list[Read] | Follow, Any, T]
"""What is decided or answered in steps, with reads in between."""
