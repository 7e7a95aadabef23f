"""The resolvers that llum ships beyond the latest value: what many pieces of evidence say together.

Goals are wishes, not observations: none of these counts them. Each is pure over evidence, time and arguments. Those
that speak of time go by when something held: by the `time` that its teller gave, or else by its acceptance. The
others go by the order of acceptance.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from model.resolvers.latest import LATEST
from model.resolvers.registry import Argument, Arguments, Resolved, Resolver, Resolvers, is_goal
from schemas.evidence import Evidence

DAY_S: Final = 86_400.0

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def most_frequent(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value that was told most often; of several, the one told last."""
    by_value: dict[bytes, list[Evidence]] = {}
    for piece in _observed(evidence):
        by_value.setdefault(_encode(piece.value), []).append(piece)
    if not by_value:
        return Resolved()
    used = max(by_value.values(), key=lambda pieces: (len(pieces), pieces[-1].seq, pieces[-1].n))
    return Resolved(used[-1].value, tuple(used))


def mean(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the mean of the numbers; null if there is none."""
    used = _numbers(evidence)
    return Resolved(_sum(used) / len(used), tuple(used)) if used else Resolved()


def total(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the sum of the numbers; 0 if there is none."""
    used = _numbers(evidence)
    return Resolved(_sum(used), tuple(used))


def count(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the number of pieces."""
    used = _observed(evidence)
    return Resolved(len(used), tuple(used))


def time_weighted(evidence: Sequence[Evidence], _now: float, arguments: Arguments) -> Resolved:
    """Give the mean of the numbers, each weighing half as much for every half-life that it is older.

    Only the differences of age matter, so the ages are counted from the newest and the time of the ask has no say.
    """
    used = _numbers(evidence)
    if not used:
        return Resolved()
    newest = max(piece.held_from for piece in used)
    weights = [0.5 ** ((newest - piece.held_from) / arguments["half_life"]) for piece in used]
    weighted = math.fsum(weight * piece.value for weight, piece in zip(weights, used, strict=True))
    return Resolved(weighted / math.fsum(weights), tuple(used))


def time_in_state(evidence: Sequence[Evidence], now: float, arguments: Arguments) -> Resolved:
    """Give the seconds that each value held, until now: {value: seconds}, or only those of one `state`.

    A value holds from its time until that of the next; one without a time holds from its acceptance. Values that are no
    text are named by their JSON.
    """
    used = sorted((piece for piece in _observed(evidence) if piece.held_from <= now), key=_when)
    since = arguments["since"]
    seconds: dict[str, float] = defaultdict(float)
    for piece, end in zip(used, [*(one.held_from for one in used[1:]), now], strict=False):
        begin = piece.held_from if since is None else max(piece.held_from, since)
        if end > begin:
            seconds[_name(piece.value)] += end - begin
    state = arguments["state"]
    value: Any = dict(seconds) if state is None else seconds.get(_name(state), 0.0)
    return Resolved(value, tuple(sorted(used, key=_order)))


def change_since(evidence: Sequence[Evidence], now: float, arguments: Arguments) -> Resolved:
    """Compare the latest value with the one that held at a time: numbers give their difference, others {from, to}.

    If nothing was known at that time, the first value after it stands in. Null if nothing is known at all.
    """
    since = now - arguments["age"] if arguments["since"] is None else arguments["since"]
    known = sorted((piece for piece in _observed(evidence) if piece.held_from <= now), key=_when)
    if not known:
        return Resolved()
    before = [piece for piece in known if piece.held_from <= since]
    first, last = before[-1] if before else known[0], known[-1]
    used = (first,) if first is last else tuple(sorted((first, last), key=_order))
    if _is_number(first.value) and _is_number(last.value):
        return Resolved(last.value - first.value, used)
    return Resolved({"from": first.value, "to": last.value}, used)


def _observed(evidence: Iterable[Evidence]) -> list[Evidence]:
    return [piece for piece in evidence if not is_goal(piece)]


def _numbers(evidence: Iterable[Evidence]) -> list[Evidence]:
    return [piece for piece in _observed(evidence) if _is_number(piece.value)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sum(pieces: Sequence[Evidence]) -> int | float:
    """Add whole numbers exactly, others with the rounding of one addition."""
    values = [piece.value for piece in pieces]
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def _name(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _when(piece: Evidence) -> tuple[float, int, int]:
    return piece.held_from, piece.seq, piece.n


def _order(piece: Evidence) -> tuple[int, int]:
    return piece.seq, piece.n


_SINCE: Final = Argument(kind="number", description="seconds since 1970")
_HALF_LIFE: Final = Argument(kind="number", default=DAY_S, above=0.0, description="seconds; a day if not given")
_STATE: Final = Argument(kind="JSON", description="the value whose seconds are wanted; all of them if not given")
_AGE: Final = Argument(kind="number", default=DAY_S, above=0.0, description="seconds before now, if since is not given")

SUMMARIES: Final = (
    Resolver("most_frequent", most_frequent, None, "the value told most often", considers="plain"),
    Resolver("mean", mean, None, "the mean of the numbers", considers="plain"),
    Resolver("sum", total, None, "the sum of the numbers", considers="plain"),
    Resolver("count", count, None, "how many pieces of evidence", considers="plain"),
    Resolver(
        "time_weighted",
        time_weighted,
        None,
        "the mean of the numbers, newer ones weighing more",
        {"half_life": _HALF_LIFE},
        "plain",
    ),
    Resolver(
        "time_in_state",
        time_in_state,
        None,
        "how many seconds each value held",
        {"state": _STATE, "since": _SINCE},
        "plain",
    ),
    Resolver(
        "change_since",
        change_since,
        None,
        "how the value differs from what it was",
        {"since": _SINCE, "age": _AGE},
        "plain",
    ),
)

SHIPPED: Final[Resolvers] = MappingProxyType({resolver.name: resolver for resolver in (*LATEST, *SUMMARIES)})
"""Every resolver that llum brings along."""
