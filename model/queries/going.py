"""Evidence that is to go: answers are run as if it had gone already."""

from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import msgspec

from model.evidence import piece_id
from model.reads import Found, Read

Result = TypeVar("Result")

Going = Mapping[int, frozenset[tuple[int, int]]]
"""The seq and n of the pieces that go, by the number of their component."""


def as_if_gone(answering: Generator[Any, Any, Result], going: Going, last_seq: int) -> Generator[Any, Any, Result]:
    """Run an answer that finds no evidence that goes, and none of commands after `last_seq`."""
    try:
        need = next(answering)
        while True:
            if isinstance(need, list):
                wanted = [_bounded(read, last_seq) for read in need]
                found = yield [_widened(read, going) for read in wanted]
                met = [_staying(read, one, going) for read, one in zip(wanted, found, strict=True)]
            else:
                met = yield need
            need = answering.send(met)
    except StopIteration as done:
        result: Result = done.value
        return result


def _bounded(read: Read, last_seq: int) -> Read:
    return msgspec.structs.replace(read, seq_max=min(read.seq_max, last_seq))


def _widened(read: Read, going: Going) -> Read:
    """Read as many more as may go, so that enough are left."""
    more = len(going.get(read.component_no, ()))
    if not more:
        return read
    newest = None if read.newest is None else read.newest + more
    return msgspec.structs.replace(read, newest=newest, limit=read.limit + more)


def _staying(read: Read, found: Found, going: Going) -> Found:
    gone = going.get(read.component_no)
    if not gone:
        return found
    assert not read.count_only, "values are made of pieces"
    bodies = [body for body in found.bodies if piece_id(body) not in gone]
    return Found(bodies=bodies[: read.limit] if read.newest is None else bodies[-read.newest :], cut=found.cut)
