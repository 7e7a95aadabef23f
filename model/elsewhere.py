"""Resolvers that do not run here: an answer says what they are to resolve, and is sent what came of it.

They get stored evidence as it is, so that only the process that runs them decodes it.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from model.evidence import counting
from model.resolvers.registry import Arguments, Resolver, run
from schemas.evidence import Evidence


class ResolveElsewhere(msgspec.Struct, frozen=True):
    """One component's run of a resolver that is elsewhere."""

    resolver: Resolver
    bodies: Sequence[bytes]
    """What the filter lets through, as it is stored, ascending by acceptance."""
    now: float
    """Seconds since 1970."""
    arguments: Arguments
    explains: bool
    """What was used is wanted, too."""


class Together(msgspec.Struct, frozen=True):
    """All such runs of one ask. The answer is sent a list with a `Resolved`, or the error, for each of them."""

    wanted: Sequence[ResolveElsewhere]


def joined(bodies: Sequence[bytes]) -> bytes:
    """Put stored evidence into one JSON array, which is decoded in one go."""
    return b"[%b]" % b",".join(bodies)


def run_stored(
    resolver: Resolver, stored: bytes | bytearray, now: float, arguments: dict[str, Any], *, explains: bool
) -> tuple[Any, list[int]]:
    """Resolve stored evidence, where the resolver is. Gives the value, and the places of the pieces that were used.

    Raises `resolver_failed`, and whatever is no `Exception` that the resolver raises.
    """
    evidence = _decoder.decode(stored)
    resolved = run(resolver, counting(evidence, now), now, arguments)
    if not explains:
        return resolved.value, []
    used = {(piece.seq, piece.n) for piece in resolved.used}
    return resolved.value, [place for place, piece in enumerate(evidence) if (piece.seq, piece.n) in used]


_decoder: Final = msgspec.json.Decoder(list[Evidence])
