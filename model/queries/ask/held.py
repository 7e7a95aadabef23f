"""Where an ask must look twice: pages in the order of holding, and evidence whose time has not come."""

from collections.abc import Generator, Sequence
from math import inf

import msgspec

from model.evidence import first_us, held_place, piece_id
from model.latest import KNOWN
from model.queries.ask.parts import PendingAnswer, Plan
from model.reads import Found, Read


def cursor_reads(plan: Plan) -> list[Read]:
    """Plan to find the piece that the page before ended with: the next one begins where that held."""
    after = plan.query.evidence_after
    assert after is not None, "the first page begins at the beginning"
    seq, n = after
    return [
        Read(
            component_no=part.component_no,
            seq_max=plan.seq,
            after=(seq, n - 1),
            since_us=None if part.grant.since is None else first_us(part.grant.since),
            types=part.grant.types,
            limit=1,
        )
        for part in plan.open
    ]


def place_pages(plan: Plan, found: Sequence[Found]) -> None:
    """Have pages begin there. Of a component that has no such piece there are none."""
    for part, one in zip(plan.open, found, strict=True):
        is_there = one.bodies and piece_id(one.bodies[0]) == plan.query.evidence_after
        part.after_held = held_place(one.bodies[0])[0] if is_there else inf
        if "page" in part.reads:
            at = part.reads["page"]
            if plan.reads[at].after is not None:
                plan.reads[at] = msgspec.structs.replace(plan.reads[at], after_held=part.after_held)


def read_behind(plan: Plan, found: list[Found]) -> Generator[list[Read], list[Found], None]:
    """Read again where the latest is too far ahead to count: what is behind it does. To be put into `found`."""
    behind = _reads_behind(plan, found)
    if behind:
        for at, one in zip(behind, (yield [*behind.values()]), strict=True):
            found[at] = one


def _reads_behind(plan: Plan, found: Sequence[Found]) -> dict[int, Read]:
    """Say what to read instead, by its index in the plan."""
    return {
        index: msgspec.structs.replace(plan.reads[index], held_until=part.counts_until)
        for part in plan.open
        for role, index in part.reads.items()
        if role in _LATEST and _is_ahead(part, plan.reads[index], found[index])
    }


_LATEST = frozenset({*KNOWN, "value"})
"""Reads of one piece, which decides."""


def _is_ahead(part: PendingAnswer, read: Read, found: Found) -> bool:
    is_bounded = read.held_until is not None and read.held_until <= part.counts_until
    return not is_bounded and any(held_place(body)[0] > part.counts_until for body in found.bodies)
