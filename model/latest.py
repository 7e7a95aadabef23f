"""The latest evidence of each component, which most asks are answered from.

Of a model that is in use it is kept as it is. When the model comes to rest, it is packed into little room: most
evidence has nothing but a value, a source and times, and of that a short form is kept, of the rest its JSON.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from model.reads import EvidenceKind
from model.state import NOTHING, NUMBERS_PER_COMMAND
from schemas.evidence import Evidence, EvidenceType

KINDS: Final[tuple[EvidenceKind, ...]] = get_args(EvidenceKind)

Known = EvidenceKind | Literal["held"]
"""What may be known of a component: the latest of each kind, and what held last."""

KNOWN: Final[tuple[Known, ...]] = (*KINDS, "held")


MAX_PUT_SINGLY: Final = 4
"""More components than these are packed anew with all others, which is then cheaper."""


class Latest(msgspec.Struct, omit_defaults=True, gc=False):
    """The latest evidence without and with the goal flag, and the correction in effect. None: there is none."""

    plain: Evidence | None = None
    goal: Evidence | None = None
    correction: Evidence | None = None
    held: Evidence | None = None
    """The evidence without the goal flag that held last, if that is not `plain`."""
    knows_held: bool = False
    """Whether that is known."""

    @property
    def held_last(self) -> Evidence | None:
        """The evidence without the goal flag that held last, as far as it is known."""
        return self.plain if self.held is None else self.held

    def add(self, kind: EvidenceKind, piece: Evidence) -> None:
        """Take evidence that is newer than all other."""
        if kind != "plain":
            setattr(self, kind, piece)
            return
        last = self.plain if self.held is None else self.held
        self.plain = piece
        if last is None or not self.knows_held:
            return
        # As `held_from` does; this is done for every tell.
        was = last.creation_time if last.time is None else last.time
        is_later = was > (piece.creation_time if piece.time is None else piece.time)
        self.held = last if is_later else None

    def keep_held(self, piece: Evidence | None) -> None:
        """Know what held last of all that has not expired."""
        self.knows_held, self.held = True, piece
        if piece is None:
            self.plain = None
        elif self.plain is not None and (piece.seq, piece.n) == (self.plain.seq, self.plain.n):
            self.held = None


class LatestPieces:
    """What is known of the components of one model."""

    __slots__ = ("_owner", "_packed", "judged_at", "ready")

    def __init__(self) -> None:
        self.ready: dict[int, Latest] = NOTHING
        """What has been looked at or changed since the model came to rest, by component number; `get` knows more."""
        self._packed: _Packed | None = None
        """What was known when it did."""
        self._owner = ""
        self.judged_at = 0.0
        """The latest time by which it was judged what has expired, seconds since 1970. What had expired then is not
        known here, so nothing that is of an earlier time may go by this: a command would be decided otherwise than from
        the log."""

    def get(self, component_no: int) -> Latest | None:
        """Give the latest of a component; None: it has not been looked at since the model was activated."""
        latest = self.ready.get(component_no)
        return latest if latest is not None or self._packed is None else self._unpack(component_no)

    def begin(self, component_no: int) -> Latest:
        """Know from now on what is latest; there is none yet."""
        return self._keep_ready(component_no, Latest(knows_held=True))

    def add(self, component_no: int, kind: EvidenceKind, piece: Evidence) -> None:
        """Take evidence that is new, so it is the latest of its kind, if the component was looked at but is not ready.

        What it replaces need not be unpacked.
        """
        packed = None if self._packed is None else self._packed.find(component_no)
        if packed is not None:
            is_replaced = kind == "plain" and not _is_whole(packed) and not _knows_held(packed)
            latest = Latest() if is_replaced else _unpacked(packed, self._owner)
            latest.add(kind, piece)
            self._keep_ready(component_no, latest)

    def keep(self, component_no: int, read: Mapping[Known, Evidence | None], now: float) -> None:
        """Keep what was read as the latest of some kinds, without what has expired by `now`.

        To begin with, a component needs all kinds.
        """
        self.judged_at = max(self.judged_at, now)
        latest = self.get(component_no)
        if latest is None:
            if not read.keys() >= {*KINDS}:
                return
            latest = self._keep_ready(component_no, Latest())
        for kind in KINDS:
            if kind in read:
                setattr(latest, kind, read[kind])
        if "held" in read:
            latest.keep_held(read["held"])

    def drop(self, component_no: int) -> None:
        """Know nothing of a component any more."""
        if component_no in self.ready:
            del self.ready[component_no]
        if self._packed is not None:
            self._packed.drop(component_no)

    def unpack_all(self) -> None:
        """Make all ready in one pass, for whoever looks at many: to find one takes the longer the more there are."""
        for number, packed in self._packed.items() if self._packed is not None else ():
            if number not in self.ready:
                self._keep_ready(number, _unpacked(packed, self._owner))

    def clear(self) -> None:
        self.ready = NOTHING
        self._packed = None

    def rest(self, owner: str) -> None:
        """Pack all. `owner` is whose model it is."""
        if not self.ready:
            return
        fresh = {number: _packed(latest, owner) for number, latest in self.ready.items()}
        if self._packed is None:
            self._packed = _Packed(fresh)
        elif len(fresh) > MAX_PUT_SINGLY:
            self._packed = _Packed({**dict(self._packed.items()), **fresh})
        else:
            for number, part in fresh.items():
                self._packed.put(number, part)
        self.ready = NOTHING
        self._owner = owner

    def __iter__(self) -> Iterator[int]:
        """Give the numbers of the components that have been looked at."""
        return iter({*self.ready, *(self._packed.numbers if self._packed else ())})

    def _unpack(self, component_no: int) -> Latest | None:
        packed = None if self._packed is None else self._packed.find(component_no)
        return None if packed is None else self._keep_ready(component_no, _unpacked(packed, self._owner))

    def _keep_ready(self, component_no: int, latest: Latest) -> Latest:
        if self.ready is NOTHING:
            self.ready = {}
        self.ready[component_no] = latest
        return latest


class _Packed:
    """Bytes by component number, in a quarter of the room that a dict takes."""

    __slots__ = ("_bytes", "_lengths", "numbers")

    def __init__(self, parts: Mapping[int, bytes]) -> None:
        self.numbers = array("q", sorted(parts))
        ordered = [parts[number] for number in self.numbers]
        self._bytes = b"".join(ordered)
        self._lengths = array("I", map(len, ordered))

    def find(self, number: int) -> bytes | None:
        index = bisect_left(self.numbers, number)
        if index == len(self.numbers) or self.numbers[index] != number:
            return None
        begin = sum(self._lengths[:index])
        return self._bytes[begin : begin + self._lengths[index]]

    def items(self) -> Iterator[tuple[int, bytes]]:
        end = 0
        for number, length in zip(self.numbers, self._lengths, strict=True):
            end += length
            yield number, self._bytes[end - length : end]

    def put(self, number: int, part: bytes) -> None:
        index = bisect_left(self.numbers, number)
        begin = end = sum(self._lengths[:index])
        if index < len(self.numbers) and self.numbers[index] == number:
            end += self._lengths[index]
            self._lengths[index] = len(part)
        else:
            self.numbers.insert(index, number)
            self._lengths.insert(index, len(part))
        self._bytes = self._bytes[:begin] + part + self._bytes[end:]

    def drop(self, number: int) -> None:
        """Drop one, if it is there."""
        if self.find(number) is not None:
            self.put(number, b"")
            index = self.numbers.index(number)
            del self.numbers[index]
            del self._lengths[index]


class _Short(msgspec.Struct, array_like=True, gc=False):
    """Evidence of the model's owner of which no more is to be said."""

    place: int
    """Its `seq`; or, of a further piece of a command, less than 0: -(seq * 65536 + n)."""
    creation_time: float
    value: Any
    source: str
    time: float | None = None
    evidence_type: EvidenceType = "explicit"
    knows_held: bool = False
    """It is known to be what held last; kept only of evidence with a time, since for others a read is cheaper."""


_encode: Final = msgspec.msgpack.Encoder().encode
_encode_whole: Final = msgspec.json.Encoder().encode
_short: Final = msgspec.msgpack.Decoder(_Short)
_latest: Final = msgspec.json.Decoder(Latest)
_MAX_SEQ_OF_FURTHER: Final = 2**47
"""The place of a further piece is a number of 64 bits up to here."""
_OPENS_JSON: Final = b"{"
"""No short form begins like this."""
_OPENS_HELD: Final = b"\x97"
"""An array of seven: a short form that says whether it held last begins like this."""


def _packed(latest: Latest, owner: str) -> bytes:
    """Pack evidence of each kind, or of the first alone if there is none of the others."""
    if latest.goal is None and latest.correction is None and latest.held is None:
        return _packed_piece(latest.plain, owner, latest.knows_held)
    return _encode_whole(latest)


def _is_whole(packed: bytes) -> bool:
    """Tell whether this is JSON of all kinds, and not a short form of the first."""
    return packed[:1] == _OPENS_JSON


def _knows_held(packed: bytes) -> bool:
    """Tell it of a short form."""
    return packed[:1] == _OPENS_HELD


def _unpacked(packed: bytes, owner: str) -> Latest:
    if _is_whole(packed):
        return _latest.decode(packed)
    return Latest(_unpacked_piece(packed, owner), knows_held=_knows_held(packed))


def _packed_piece(piece: Evidence | None, owner: str, knows_held: bool) -> bytes:
    if piece is None:
        return b""
    if not _is_short(piece, owner):
        return _encode_whole(Latest(piece, knows_held=knows_held))
    place = -(piece.seq * NUMBERS_PER_COMMAND + piece.n) if piece.n else piece.seq
    if piece.time is not None and knows_held:
        return _encode((place, piece.creation_time, piece.value, piece.source, piece.time, piece.evidence_type, True))
    if piece.time is None and piece.evidence_type == "explicit":
        return _encode((place, piece.creation_time, piece.value, piece.source))
    return _encode((place, piece.creation_time, piece.value, piece.source, piece.time, piece.evidence_type))


def _is_short(piece: Evidence, owner: str) -> bool:
    return piece.owner == owner and not (
        (piece.n and (piece.n >= NUMBERS_PER_COMMAND or piece.seq >= _MAX_SEQ_OF_FURTHER))
        or piece.flags
        or piece.extra
        or piece.correction
        or piece.useby is not None
        or piece.comment is not None
        or piece.rule is not None
        or piece.withdrawn is not None
    )


def _unpacked_piece(packed: bytes, owner: str) -> Evidence | None:
    if not packed:
        return None
    short = _short.decode(packed)
    seq, n = (short.place, 0) if short.place >= 0 else divmod(-short.place, NUMBERS_PER_COMMAND)
    return Evidence(
        seq=seq,
        n=n,
        value=short.value,
        evidence_type=short.evidence_type,
        source=short.source,
        owner=owner,
        time=short.time,
        creation_time=short.creation_time,
    )
