"""Whose last write must be seen by whose next ask: the sequence to pass as `min_seq`."""

from typing import Final

from schemas.recent import Recent

MAX_WRITERS: Final = 50_000
"""Writers remembered, about 200 bytes each. A forgotten one may, for the moment a replica lags, read an older state."""

Writer = tuple[str, str]
"""User and app. The tokens of one app for one person share what they have written."""


class LastWrites:
    """The sequence of each writer's last accepted command; the longest unused are forgotten first."""

    def __init__(self, bound: int = MAX_WRITERS) -> None:
        self._seqs: Recent[Writer, int] = Recent(bound)

    def note(self, writer: Writer, seq: int) -> None:
        """Remember a write. An older sequence, as of a repeated command, changes nothing."""
        self._seqs[writer] = max(seq, self._seqs.get(writer) or 0)

    def seq_of(self, writer: Writer) -> int | None:
        """Give the sequence that this writer's ask must have seen; None if it has not written lately."""
        return self._seqs.get(writer)
