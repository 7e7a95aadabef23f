"""Evidence filters, expiry, and stored evidence back into structs.

A filter becomes a `Selection`: bounds that one indexed read can apply. It lets evidence through before anything else
looks at it; expired evidence passes a filter (it is history), it only never counts for a value.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from model.reads import EvidenceKind
from model.resolvers.registry import is_goal
from schemas.errors import Code, Refusal
from schemas.evidence import DEFAULT_TYPE, Evidence, EvidenceFilter, EvidenceType, FilterName
from schemas.limits import MAX_EVIDENCE_PAGE

MAX_AHEAD_S: Final = 86_400.0
"""Seconds that evidence may be ahead of now and count: clocks differ, and a date is a day long somewhere."""

_MAX_US: Final = 2**63 - 1
"""Microseconds that a stored integer can hold."""

_encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Evidence)


class _Numbered(msgspec.Struct):
    seq: int
    n: int = 0


class _Placed(msgspec.Struct):
    seq: int
    creation_time: float
    n: int = 0
    time: float | None = None


class _Typed(msgspec.Struct):
    evidence_type: EvidenceType = DEFAULT_TYPE


_numbered: Final = msgspec.json.Decoder(_Numbered)
_placed: Final = msgspec.json.Decoder(_Placed)
_typed: Final = msgspec.json.Decoder(_Typed)


class Selection(msgspec.Struct, frozen=True, gc=False):
    """What a filter lets through: the evidence within all bounds that are set. `newest` comes alone."""

    name: FilterName = "all"
    kind: EvidenceKind | None = None
    since_us: int | None = None
    newest: int | None = None
    held_from: float | None = None
    """What held from then on, seconds since 1970."""
    held_until: float | None = None
    """What held from then on or earlier."""

    @property
    def is_period(self) -> bool:
        return self.name == "held"


EVERYTHING: Final = Selection()


def selection_of(wanted: EvidenceFilter | None) -> Selection:
    """Read a filter; arguments of other filters are ignored. Raises `bad_filter` naming the argument."""
    if wanted is None or wanted.name == "all":
        return EVERYTHING
    if wanted.name == "goal":
        return Selection("goal", kind="goal")
    if wanted.name == "since_time":
        return Selection("since_time", since_us=_since_us(wanted.since_time))
    if wanted.name == "held":
        return _period_of(wanted)
    counts = {"last1": 1, "last10": 10}
    newest = counts.get(wanted.name) or _count(wanted.recent_count)
    return Selection(wanted.name, newest=newest)


def selected(selection: Selection, evidence: Sequence[Evidence]) -> Sequence[Evidence]:
    """Apply a selection to evidence at hand, of which the newest must be there."""
    if selection.newest is not None:
        return evidence[-selection.newest :]
    if selection.kind is not None:
        return [piece for piece in evidence if is_goal(piece)]
    if selection.since_us is not None:
        return [piece for piece in evidence if to_us(piece.creation_time) >= selection.since_us]
    if selection.is_period:
        first = -math.inf if selection.held_from is None else selection.held_from
        last = math.inf if selection.held_until is None else selection.held_until
        return [piece for piece in evidence if first <= piece.held_from <= last]
    return evidence


def is_ahead(evidence: Evidence, until: float) -> bool:
    """Tell whether evidence held only later, by its teller: it does not count yet."""
    return evidence.time is not None and evidence.time > until


def is_expired(evidence: Evidence, now: float) -> bool:
    return evidence.useby is not None and evidence.useby <= now


def counts(piece: Evidence | None, now: float) -> bool:
    """Tell whether there is nothing, or what counts."""
    return piece is None or not (is_expired(piece, now) or is_ahead(piece, now + MAX_AHEAD_S))


def counting(evidence: Iterable[Evidence], now: float) -> list[Evidence]:
    """Leave out what has expired, and what is too far ahead."""
    until = now + MAX_AHEAD_S
    return [piece for piece in evidence if not is_expired(piece, now) and not is_ahead(piece, until)]


def decode_evidence(bodies: Iterable[bytes]) -> list[Evidence]:
    """Decode what the shard gives back."""
    return [_decoder.decode(body) for body in bodies]


def encode_evidence(piece: Evidence) -> bytes:
    """Encode a piece as the shard keeps it."""
    return _encode(piece)


def piece_id(body: bytes) -> tuple[int, int]:
    """Give the `(seq, n)` of stored evidence."""
    piece = _numbered.decode(body)
    return piece.seq, piece.n


def type_of(body: bytes | str) -> EvidenceType:
    """Give the type of stored evidence."""
    return _typed.decode(body).evidence_type


def held_place(body: bytes) -> tuple[float, int, int]:
    """Give the place of stored evidence in the order of holding: since when it held, seq, n."""
    piece = _placed.decode(body)
    return piece.creation_time if piece.time is None else piece.time, piece.seq, piece.n


def marked(body: bytes, withdrawal: bytes) -> bytes:
    """Put the mark of a withdrawal into the JSON of the evidence, which is never an empty object."""
    return b'%b,"withdrawn":%b}' % (body[:-1], withdrawal)


def unmarked(body: bytes, withdrawal: bytes) -> bytes:
    """Take the mark out again."""
    return body.removesuffix(b',"withdrawn":%b}' % withdrawal) + b"}"


def without_cause(piece: Evidence) -> Evidence:
    """Leave out the cause, which names components and people, for an app that may know nothing of them."""
    return piece if piece.cause is None else msgspec.structs.replace(piece, cause=None)


def body_without_cause(body: bytes) -> bytes:
    """Leave out the cause of a piece as it is stored."""
    if b'"cause":' not in body:
        return body
    return _encode(without_cause(_decoder.decode(body)))


def to_us(time_s: float) -> int:
    """Give back the microseconds that a `creation_time` was made from: a float holds them exactly enough to round."""
    return round(time_s * 1e6)


def _period_of(wanted: EvidenceFilter) -> Selection:
    """Read the period. Its end is not within it: the last moment that is, is the number just below."""
    first, end = wanted.held_from, wanted.held_until
    if first is None and end is None:
        hint = "give held_from, held_until or both"
        raise Refusal(Code.BAD_FILTER, "the filter held needs a period", "evidence_filter.held_from", hint)
    for name, moment in (("held_from", first), ("held_until", end)):
        if moment is not None and (isinstance(moment, bool) or not math.isfinite(moment)):
            message = "the filter held needs times in seconds since 1970"
            raise Refusal(Code.BAD_FILTER, message, f"evidence_filter.{name}")
    if first is not None and end is not None and end <= first:
        raise Refusal(Code.BAD_FILTER, "the period ends before it begins", "evidence_filter.held_until")
    last = None if end is None else math.nextafter(end, -math.inf)
    return Selection("held", held_from=first, held_until=last)


def _since_us(time_s: float | None) -> int:
    if time_s is None or isinstance(time_s, bool) or not math.isfinite(time_s):
        message = "the filter since_time needs a time in seconds since 1970"
        raise Refusal(Code.BAD_FILTER, message, "evidence_filter.since_time")
    return first_us(time_s)


def first_us(time_s: float) -> int:
    """Give the first microsecond at or after a time in seconds."""
    if abs(time_s) > _MAX_US / 1e6 - 1:
        return _MAX_US if time_s > 0 else -_MAX_US
    nearest = to_us(time_s)
    return nearest if nearest / 1e6 >= time_s else nearest + 1


def last_us(time_s: float) -> int:
    """Give the last microsecond at or before a time in seconds."""
    if abs(time_s) > _MAX_US / 1e6 - 1:
        return _MAX_US if time_s > 0 else -_MAX_US
    nearest = to_us(time_s)
    return nearest if nearest / 1e6 <= time_s else nearest - 1


def _count(count: int | None) -> int:
    if type(count) is not int or not 0 < count <= MAX_EVIDENCE_PAGE:
        message = f"the filter recent_count needs a whole number from 1 to {MAX_EVIDENCE_PAGE}"
        raise Refusal(Code.BAD_FILTER, message, "evidence_filter.recent_count")
    return count
