"""The newest evidence of components, in memory: an ask of recent evidence then needs no disk.

A tail begins when evidence of its component is read for the first time. What that read has found is its beginning, and
each piece that is added from then on follows. A tail knows which evidence it has all of: what comes after some piece,
and what was accepted since some time. (Imported evidence is older than its command, so these are two things.) What a
read would find beyond that is on the disk. Components whose evidence nobody reads have no tail and cost nothing.

Evidence is kept as it is stored: as bytes, with what a read may look at beside them.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from model.changes import AddEvidence, MarkWithdrawn
from model.evidence import marked, to_us, unmarked
from model.reads import EvidenceKind, Found, Read
from model.state import Model
from schemas.evidence import GOAL_FLAG
from schemas.recent import Room

MAX_TAIL_PIECES: Final = 64
"""Pieces of one component: an afternoon of a sensor that tells every few minutes."""

MAX_TAIL_BYTES: Final = 16 * 1024
"""Bytes of the evidence of one component, as it is stored."""

_PIECE_BYTES: Final = 200
"""What a piece takes in memory beside its bytes."""

_ALWAYS_US: Final = -(2**63)
"""Earlier than any time, in microseconds since 1970."""

_Id = tuple[int, int]
"""The seq and n of a piece of evidence."""

_FIRST: Final[_Id] = (0, 0)


class TailPiece(msgspec.Struct, gc=False):
    """A piece of evidence in a tail."""

    seq: int
    n: int
    kind: EvidenceKind
    creation_us: int
    held: float
    """Since when it held, seconds since 1970."""
    useby: float | None
    body: bytes
    """JSON of `schemas.evidence.Evidence`."""
    mark: bytes | None = None
    """JSON of its withdrawal, if it is withdrawn."""


class Tail:
    """The newest evidence of one component, ascending by `(seq, n)`."""

    __slots__ = ("_bytes", "_first", "_pieces", "_since_us", "_strays")

    def __init__(self, first: _Id, since_us: int) -> None:
        """Begin an empty one: there is no evidence from `first` on, and none that was accepted since `since_us`."""
        self._pieces: list[TailPiece] = []
        self._bytes = 0
        self._first = first
        """All evidence from this one on is here."""
        self._since_us = since_us
        """All evidence that was accepted at this time or later is here, microseconds since 1970."""
        self._strays = 0
        """So many pieces at the beginning come before `_first`."""

    @property
    def size(self) -> int:
        """Bytes that the tail takes in memory."""
        return self._bytes + len(self._pieces) * _PIECE_BYTES

    def find(self, read: Read) -> Found | None:
        """Give what a read of the present finds, or None: some of it may not be here.

        A read of some types of evidence goes to the disk: no type stands beside a piece.
        """
        if read.types is not None:
            return None
        covers, newest = self._covers(read), read.newest
        if read.by_held and not covers:
            return None
        matching = _matching(read, self._pieces if covers else self._pieces[self._strays :])
        if read.count_only:
            return Found(count=len(matching)) if covers else None
        if newest is None:
            return _found(read, matching[: read.limit]) if covers else None
        return _found(read, matching[-newest:]) if covers or len(matching) >= newest else None

    def whole(self) -> list[bytes] | None:
        """Give all evidence, without marks of withdrawal; None: some of it may not be here."""
        return [piece.body for piece in self._pieces] if self._first == _FIRST else None

    def add(self, added: AddEvidence) -> None:
        """Take a piece that is newer than all others."""
        seq, n = added.evidence.seq, added.n
        held = added.evidence.held_from
        self._pieces.append(TailPiece(seq, n, added.kind, added.creation_us, held, added.useby, added.body))
        self._bytes += len(added.body)
        self._shorten()

    def withdraw(self, mark: MarkWithdrawn) -> None:
        """Mark a piece, if it is here."""
        for piece in self._pieces:
            if piece.seq == mark.seq and piece.n == mark.n:
                piece.mark = mark.body

    def learn(self, read: Read, found: Found) -> None:
        """Take what a read of the present, of all kinds of evidence, has found on the disk."""
        bodies = found.bodies
        is_all = not found.cut and len(bodies) < (read.limit if read.newest is None else read.newest)
        fits = len(bodies) <= MAX_TAIL_PIECES
        if read.since_us is None and (is_all or read.newest is not None):
            pieces = [_piece(body) for body in bodies[-MAX_TAIL_PIECES:]]
            self._join(pieces)
            self._first = _FIRST if is_all and fits else min(self._first, _id(pieces[0]))
        elif read.since_us is not None and is_all and fits:
            self._join([_piece(body) for body in bodies])
            self._since_us = min(self._since_us, read.since_us)
        self._strays = sum(_id(piece) < self._first for piece in self._pieces)
        self._shorten()

    def _join(self, pieces: Sequence[TailPiece]) -> None:
        joined = {_id(piece): piece for piece in (*self._pieces, *pieces)}
        self._pieces = [joined[at] for at in sorted(joined)]
        self._bytes = sum(len(piece.body) for piece in self._pieces)

    def _shorten(self) -> None:
        """Keep within bounds: the oldest go."""
        while len(self._pieces) > MAX_TAIL_PIECES or self._bytes > MAX_TAIL_BYTES:
            piece = self._pieces.pop(0)
            self._bytes -= len(piece.body)
            self._since_us = max(self._since_us, piece.creation_us + 1)
            if self._strays:
                self._strays -= 1
            else:
                self._first = (piece.seq, piece.n + 1)

    def _covers(self, read: Read) -> bool:
        """Tell whether all is here that the read may find. What held last may have been accepted at any time."""
        if read.by_held or self._first == _FIRST:
            return self._first == _FIRST
        return (read.since_us is not None and read.since_us >= self._since_us) or (
            read.after is not None and (read.after[0], read.after[1] + 1) >= self._first
        )


class Tails:
    """The tails of one model. They share a room with those of all others, and are emptied when it is full."""

    __slots__ = ("_room", "_tails")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._tails: dict[int, Tail] = {}
        """By component number."""

    def find(self, read: Read, model: Model) -> Found | None:
        """Give what a read finds, or None: it must be read from the disk."""
        tail = self._tails.get(read.component_no)
        if tail is None or not _is_of_present(read, model):
            return None
        self._room.use(self)
        return tail.find(read)

    def whole(self, component_no: int) -> list[bytes] | None:
        """Give all evidence of a component in its order, which is little; None: some of it is on the disk.

        For what has been withdrawn there is no mark.
        """
        tail = self._tails.get(component_no)
        if tail is None:
            return None
        self._room.use(self)
        return tail.whole()

    def learn(self, read: Read, found: Found, model: Model) -> None:
        """Take what was read from the disk. The model must be as it was when the read was planned."""
        if not _is_of_present(read, model):
            return
        tail = self._tails.get(read.component_no)
        if tail is None:
            tail = self._tails[read.component_no] = Tail((model.seq + 1, 0), model.time_us + 1)
        before = tail.size
        if _finds_all_kinds(read):
            tail.learn(read, found)
        self._room.grow(self, tail.size - before)

    def add(self, added: AddEvidence) -> None:
        """Take a piece that is added."""
        tail = self._tails.get(added.component_no)
        if tail is not None:
            before = tail.size
            tail.add(added)
            self._room.grow(self, tail.size - before)

    def withdraw(self, mark: MarkWithdrawn) -> None:
        """Take a withdrawal."""
        tail = self._tails.get(mark.component_no)
        if tail is not None:
            tail.withdraw(mark)

    def drop(self, component_no: int) -> None:
        """Drop the tail of a component that is no more."""
        tail = self._tails.pop(component_no, None)
        if tail is not None:
            self._room.grow(self, -tail.size)

    def leave(self) -> None:
        """Drop all, and leave the room."""
        self._room.leave(self)
        self._tails.clear()

    def give_way(self) -> None:
        """Drop all: the room calls this when others need the place."""
        self._tails.clear()


class _Head(msgspec.Struct):
    """What a read may look at, of a piece as it is stored."""

    seq: int
    creation_time: float
    n: int = 0
    time: float | None = None
    useby: float | None = None
    flags: list[str] = []
    correction: bool = False
    withdrawn: msgspec.Raw = msgspec.Raw()


_heads: Final = msgspec.json.Decoder(_Head)


def _piece(body: bytes) -> TailPiece:
    head = _heads.decode(body)
    kind: EvidenceKind = "correction" if head.correction else "goal" if GOAL_FLAG in head.flags else "plain"
    mark = bytes(head.withdrawn) or None
    stored = body if mark is None else unmarked(body, mark)
    held = head.creation_time if head.time is None else head.time
    return TailPiece(head.seq, head.n, kind, to_us(head.creation_time), held, head.useby, stored, mark)


def _id(piece: TailPiece) -> _Id:
    return piece.seq, piece.n


def _is_of_present(read: Read, model: Model) -> bool:
    """Tell whether nothing is too new for the read, and no tail too large."""
    is_open = read.until_us is None and read.before is None and read.seq_max >= model.seq
    return is_open and read.max_bytes > MAX_TAIL_BYTES


def _finds_all_kinds(read: Read) -> bool:
    """Tell whether a read gives pieces of every kind, from the first within its bounds on, with their marks."""
    is_bounded = read.kind is not None or read.after is not None or read.unexpired_at is not None
    is_bounded = is_bounded or read.by_held or read.held_until is not None or read.types is not None
    return not (is_bounded or read.count_only or read.withdrawn == "left_out")


def _matching(read: Read, pieces: list[TailPiece]) -> list[TailPiece]:
    """Give the pieces within the bounds of a read of the present. Bound by bound: most reads have few."""
    if (since_us := read.since_us) is not None:
        pieces = [piece for piece in pieces if piece.creation_us >= since_us]
    if read.by_held:
        pieces = _by_held(read, pieces)
    elif (after := read.after) is not None:
        pieces = [piece for piece in pieces if _id(piece) > after]
    if (kind := read.kind) is not None:
        pieces = [piece for piece in pieces if piece.kind == kind]
    if (at := read.unexpired_at) is not None:
        pieces = [piece for piece in pieces if piece.useby is None or piece.useby > at]
    if (until := read.held_until) is not None:
        pieces = [piece for piece in pieces if piece.held <= until]
    if read.withdrawn == "left_out":
        pieces = [piece for piece in pieces if piece.mark is None]
    return pieces


def _by_held(read: Read, pieces: list[TailPiece]) -> list[TailPiece]:
    """Give the pieces in the order of holding, from where the read begins."""
    if (since := read.held_from) is not None:
        pieces = [piece for piece in pieces if piece.held >= since]
    pieces = sorted(pieces, key=_place)
    if (after := read.after) is None:
        return pieces
    assert read.after_held is not None, "a place in this order has a time"
    place = (read.after_held, *after)
    return [piece for piece in pieces if _place(piece) > place]


def _place(piece: TailPiece) -> tuple[float, int, int]:
    return piece.held, piece.seq, piece.n


def _found(read: Read, pieces: list[TailPiece]) -> Found:
    if read.withdrawn == "marked":
        return Found([one.body if one.mark is None else marked(one.body, one.mark) for one in pieces])
    return Found([one.body for one in pieces])
