"""Which piece of evidence stands for each component: the latest that counts, of those that are no goal.

Mostly memory knows it. What memory does not know is read: `reads` says what, until there is nothing more.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from model.evidence import MAX_AHEAD_S, counts, decode_evidence, is_ahead
from model.latest import KINDS, Known, LatestPieces
from model.reads import EvidenceKind, Found, Read
from model.state import Context, Leaf
from schemas.evidence import Evidence
from schemas.preferences import UNSET_FLAG

Pieces = dict[int, Evidence | None]
"""By the number of the component; None: there is no evidence that counts."""

_NOTHING_KNOWN: Final = LatestPieces()

MANY: Final = 100
"""Components whose latest pieces are unpacked all at once."""


class AsStands(msgspec.Struct, frozen=True, gc=False):
    """As of when."""

    now: float
    """The time at which expiry is judged, seconds since 1970."""
    seq: int
    """The last sequence that counts."""
    until_us: int | None = None
    """The last time of acceptance that counts; None: all up to the sequence."""
    withdrawn_by: int | None = None
    """What counts are withdrawals up to this sequence; None: those within the bounds above."""


class StandingPieces:
    """What stands for the components of some contexts. With `corrections` the owner's own word counts first."""

    __slots__ = ("_ahead", "_bounds", "_corrections", "_latest", "_open", "_roles", "pieces")

    def __init__(
        self, contexts: Iterable[Context], bounds: AsStands, latest: LatestPieces | None, *, corrections: bool = False
    ) -> None:
        self.pieces: Pieces = {}
        self._bounds = bounds
        self._latest = latest
        self._corrections = corrections
        self._open: dict[int, Leaf] = {}
        """What is to be read, by number."""
        self._ahead: set[int] = set()
        """Of which the latest is too far ahead to count: what is behind it does."""
        self._roles: list[tuple[int, EvidenceKind]] = []
        self._look(contexts, latest or _NOTHING_KNOWN)

    def reads(self) -> list[Read]:
        """Say what is to be read; nothing: all is known."""
        self._roles = [(number, kind) for number in self._open for kind in KINDS]
        return [self._read(number, kind) for number, kind in self._roles]

    def take(self, found: Sequence[Found], *, keep: bool) -> None:
        """Take what was found. `keep` it in memory, if the model is still as it was when the reads were planned."""
        read: dict[int, dict[Known, Evidence | None]] = {}
        for (number, kind), one in zip(self._roles, found, strict=True):
            read.setdefault(number, {})[kind] = decode_evidence(one.bodies)[0] if one.bodies else None
        for number, by_kind in read.items():
            if keep and number not in self._ahead and self._latest is not None and self._latest.get(number) is None:
                self._latest.keep(number, by_kind, self._bounds.now)
            self._settle(number, by_kind["plain"], by_kind["correction"])

    def _look(self, contexts: Iterable[Context], known: LatestPieces) -> None:
        """Take what memory knows. This is done for each setting of each safe that is used."""
        looked_at = list(contexts)
        if sum(len(context.contents.components) for context in looked_at) > MANY:
            known.unpack_all()
        ready, pieces, now, corrections = known.ready, self.pieces, self._bounds.now, self._corrections
        for context in looked_at:
            first = context.first
            for leaf in context.contents.components.values():
                number = first + leaf.offset
                one = ready.get(number) or known.get(number)
                if one is None:
                    self._open[number] = leaf
                    continue
                piece = one.correction if corrections and one.correction is not None else one.plain
                if piece is None or (piece.useby is None and piece.time is None) or counts(piece, now):
                    pieces[number] = piece
                else:
                    self._open[number] = leaf

    def _settle(self, number: int, plain: Evidence | None, correction: Evidence | None) -> None:
        if self._corrections and correction is not None:
            self.pieces[number] = correction
        elif plain is not None and is_ahead(plain, self._bounds.now + MAX_AHEAD_S):
            self._ahead.add(number)
            return
        else:
            self.pieces[number] = plain
        del self._open[number]

    def _read(self, number: int, kind: EvidenceKind) -> Read:
        leaf, bounds = self._open[number], self._bounds
        return Read(
            component_no=number,
            seq_max=bounds.seq,
            until_us=bounds.until_us,
            kind=kind,
            held_until=bounds.now + MAX_AHEAD_S if number in self._ahead else None,
            newest=1,
            limit=1,
            unexpired_at=bounds.now,
            withdrawn="left_out" if leaf.withdrawals else "none",
            withdrawn_by=bounds.withdrawn_by,
            held_order=leaf.held_order,
        )


def is_there(piece: Evidence | None) -> bool:
    """Tell whether a setting of which this piece stands is there."""
    return piece is not None and UNSET_FLAG not in piece.flags
