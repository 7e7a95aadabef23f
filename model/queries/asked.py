"""Who asked and told what: what the record holds of the asks, and of what was told the evidence itself.

What is told is in the evidence already, and what was decided about apps is kept with the model, so nothing records
them a second time. Of a component that is no longer there, neither is what was told about it.
"""

from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final

import msgspec

from model.asked.about import Heading, added_up, row_of
from model.evidence import first_us, to_us
from model.permissions import Asker, denied
from model.reads import Decisions, Found, Read, Recorded
from model.state import Model, contexts_below
from schemas.asked import AskedReply, AskedRow
from schemas.grants import ConsentDecision
from schemas.limits import MAX_REPLY_BYTES
from schemas.paths import Path, check_path
from schemas.plain_checks import check_time
from schemas.queries import Asked

MAX_ROWS: Final = 1000
"""Rows of one reply, a few hundred bytes each: more than anybody reads, and the latest come first."""


class _Told(msgspec.Struct):
    """What one app has told about one component: a row of a `Read` with `by_source`."""

    source: str
    count: int
    first_us: int
    last_us: int


_encode: Final = msgspec.json.Encoder().encode
_told: Final = msgspec.json.Decoder(_Told)
_decided: Final = msgspec.json.Decoder(ConsentDecision)


def answer_asked(
    model: Model, asker: Asker, query: Asked
) -> Generator[list[Read] | Recorded | Decisions, Any, AskedReply]:
    """Say who asked and told. Raises `permission_denied`, `bad_path`, `bad_field`."""
    if not asker.is_owner:
        raise denied(asker.app, "see who asked")
    base = check_path(query.path, "path")
    for name in ("since", "until"):
        if (time := getattr(query, name)) is not None:
            check_time(time, name)
    user, seq, numbers = model.user, model.seq, _components(model, base)
    reads = [_read(model, query, number) for number in numbers.values()]
    found: Sequence[Found] = (yield reads) if reads else []
    told = [row for path, one in zip(numbers, found, strict=True) for row in _told_rows(path, one)]
    asks: list[AskedRow] = yield Recorded(user=user, since=query.since)
    decided = [] if base else [*map(_decided_row, (yield Decisions(user=user, app=query.app, seq=seq, limit=MAX_ROWS)))]
    rows = added_up(row for row in [*told, *asks, *filter(None, decided)] if _is_meant(row, query, base))
    shown = rows[: _fitting(rows)]
    return AskedReply(seq=seq, rows=shown, more=len(rows) - len(shown))


def _fitting(rows: Sequence[AskedRow]) -> int:
    """Say how many rows a reply takes: whoever was refused has chosen how long theirs are."""
    room = MAX_REPLY_BYTES
    for count, row in enumerate(rows[:MAX_ROWS]):
        room -= len(_encode(row))
        if room < 0:
            return count
    return min(len(rows), MAX_ROWS)


def _components(model: Model, base: Path) -> dict[Path, int]:
    """Give the numbers of the components at and below a path, by their paths."""
    context = model.context(base)
    if context is None:
        parent = model.context(base[:-1])
        component = None if parent is None else parent.component(base[-1])
        return {} if component is None else {base: component.number}
    return {
        (*at, name): component.number
        for at, each in contexts_below(base, context)
        for name, component in each.components.items()
    }


def _read(model: Model, query: Asked, number: int) -> Read:
    return Read(
        component_no=number,
        seq_max=model.seq,
        since_us=None if query.since is None else first_us(query.since),
        until_us=None if query.until is None else to_us(query.until),
        limit=1,
        by_source=True,
    )


def _told_rows(path: Path, found: Found) -> Iterable[AskedRow]:
    for told in map(_told.decode, found.bodies):
        heading = Heading(told.source, "tell", path, "component")
        yield row_of(heading, told.count, told.first_us / 1e6, told.last_us / 1e6)


def _decided_row(body: bytes) -> AskedRow | None:
    """Give the row of a decision about an app; None: it was decided elsewhere."""
    one = _decided.decode(body)
    if one.imported:
        return None
    heading = Heading(one.app, f"consent_{one.decision}", (), "account", "owner")
    return row_of(heading, 1, one.time, one.time)


def _is_meant(row: AskedRow, query: Asked, base: Path) -> bool:
    return (
        (query.app is None or row.app == query.app)
        and tuple(row.path[: len(base)]) == base
        and (query.since is None or row.last >= query.since)
        and (query.until is None or row.first <= query.until)
    )
