"""Evidence that is to go: answers are run as if it had gone already."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from model.evidence import piece_id
from model.reads import Found, Read, Reading
from schemas.errors import Code, Refusal
from schemas.limits import MAX_EVIDENCE_CONSIDERED

Result = TypeVar("Result")

Ids = frozenset[tuple[int, int]]
"""The seq and n of pieces of one component."""

_MORE: Final = 64
"""Pieces read beyond those that are wanted, where nobody knows how many of them go."""

_GROWTH: Final = 8
"""How many times more are read, if too many of them go."""


class Going:
    """What is to go, by the number of its component: known pieces, or whatever a test of stored evidence finds."""

    def __init__(self, known: Mapping[int, Ids], found_by: Mapping[int, Callable[[bytes], bool]] | None = None) -> None:
        self._known = known
        self._found_by = found_by or {}

    def touches(self, component_no: int) -> bool:
        return component_no in self._known or component_no in self._found_by

    def without(self, component_no: int, bodies: list[bytes]) -> list[bytes]:
        """Leave out what goes."""
        known = self._known.get(component_no, frozenset())
        goes = self._found_by.get(component_no)
        return [body for body in bodies if piece_id(body) not in known and not (goes is not None and goes(body))]

    def at_most(self, component_no: int) -> int:
        """Give a number of pieces beyond which it is worth looking: with so many more, most reads have enough."""
        more = _MORE if component_no in self._found_by else 0
        return more + len(self._known.get(component_no, ()))


def as_if_gone(answering: Generator[Any, Any, Result], going: Going, last_seq: int) -> Generator[Any, Any, Result]:
    """Run an answer that finds no evidence that goes, and none of commands after `last_seq`."""
    try:
        need = next(answering)
        while True:
            met = (yield from _read(need, going, last_seq)) if isinstance(need, list) else (yield need)
            need = answering.send(met)
    except StopIteration as done:
        result: Result = done.value
        return result


def _read(reads: list[Read], going: Going, last_seq: int) -> Reading[list[Found]]:
    """Read what stays. Where too much of what is found goes, more is read."""
    wanted = [msgspec.structs.replace(read, seq_max=min(read.seq_max, last_seq)) for read in reads]
    found = yield [_widened(read, going.at_most(read.component_no)) for read in wanted]
    staying: list[Found] = []
    for read, one in zip(wanted, found, strict=True):
        staying.append((yield from _stays(read, one, going)) if going.touches(read.component_no) else one)
    return staying


def _stays(read: Read, found: Found, going: Going) -> Reading[Found]:
    assert not read.count_only, "values are made of pieces"
    more = going.at_most(read.component_no)
    while True:
        bodies = going.without(read.component_no, found.bodies)
        if len(bodies) >= read.limit or found.cut or len(found.bodies) < read.limit + more:
            break
        if more > MAX_EVIDENCE_CONSIDERED:
            raise Refusal(Code.TOO_MUCH_EVIDENCE, "what goes is too much to be looked through", None)
        more = max(more, _MORE) * _GROWTH
        (found,) = yield [_widened(read, more)]
    return Found(bodies=bodies[: read.limit] if read.newest is None else bodies[-read.newest :], cut=found.cut)


def _widened(read: Read, more: int) -> Read:
    if not more:
        return read
    newest = None if read.newest is None else read.newest + more
    return msgspec.structs.replace(read, newest=newest, limit=read.limit + more)
