"""The resolvers that llum ships beyond the latest value: what many pieces of evidence say together.

Goals are wishes, not observations: none of these counts them. Each is pure over evidence, time and arguments. Those
that speak of time go by when something held: by the `time` that its teller gave, or else by its acceptance. The
others go by the order of acceptance.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from model.resolvers.latest import LATEST
from model.resolvers.registry import Argument, Arguments, Day, Days, Resolved, Resolver, Resolvers, is_goal
from schemas.errors import Code, Refusal
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


def is_known(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Tell whether anything is known: true or false, and nothing of what it is."""
    used = _observed(evidence)
    return Resolved(bool(used), tuple(used[-1:]))


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


def no_days(_zone: str | None, _since: float, _until: float) -> Sequence[Day]:
    """Stand for a calendar where there is none."""
    raise LookupError("there is no calendar here")


def time_in_state(evidence: Sequence[Evidence], now: float, arguments: Arguments, days: Days = no_days) -> Resolved:
    """Give the seconds that each value held, until now: {value: seconds}, or only those of one `state`.

    A value holds from its time until that of the next; one without a time holds from its acceptance. Values that are no
    text are named by their JSON. With `by` set to `day` they are given day by day, from midnight to midnight by the
    clocks of the person: {"2031-05-04": {value: seconds}}. Such a day may have 23 or 25 hours.

    With the filter `held` they are those of the period, and what held when it began counts from its beginning on.
    """
    end = now if arguments["until"] is None else min(now, arguments["until"])
    used = sorted((piece for piece in _observed(evidence) if piece.held_from <= end), key=_when)
    spans = _spans(used, arguments["since"], end)
    value: Any = _seconds(spans, arguments["state"])
    if arguments["by"] not in (None, "day"):
        message = f"seconds are not given by {str(arguments['by'])[:64]}"
        raise Refusal(Code.BAD_FIELD, message, "resolver_arguments.by", "the only word is day")
    if arguments["by"] == "day":
        value = _by_day(spans, days, arguments)
    return Resolved(value, tuple(sorted(used, key=_order)))


class _Span(NamedTuple):
    """A value, and from when until when it held."""

    value: Any
    begin: float
    end: float


def _spans(held: Sequence[Evidence], since: float | None, end: float) -> list[_Span]:
    ends = [*(one.held_from for one in held[1:]), end]
    begins = [one.held_from if since is None else max(one.held_from, since) for one in held]
    spans = [_Span(one.value, begin, until) for one, begin, until in zip(held, begins, ends, strict=False)]
    return [span for span in spans if span.end > span.begin]


def _by_day(spans: Sequence[_Span], days: Days, arguments: Arguments) -> dict[str, Any]:
    """Split what goes over midnight."""
    if not spans:
        return {}
    found: dict[str, Any] = {}
    first = 0
    for day in days(arguments["time_zone"], spans[0].begin, spans[-1].end):
        while first < len(spans) and spans[first].end <= day.begin:
            first += 1
        within: list[_Span] = []
        for span in itertools.islice(spans, first, None):
            if span.begin >= day.end:
                break
            within.append(_Span(span.value, max(span.begin, day.begin), min(span.end, day.end)))
        found[day.name] = _seconds(within, arguments["state"])
    return found


def _seconds(spans: Iterable[_Span], state: Any) -> Any:
    seconds: dict[str, float] = defaultdict(float)
    for span in spans:
        seconds[_name(span.value)] += span.end - span.begin
    return dict(seconds) if state is None else seconds.get(_name(state), 0.0)


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
_UNTIL: Final = Argument(kind="number", description="seconds since 1970; now if it is not given")
_BY: Final = Argument(kind="string", description="`day`: day by day")
_ZONE: Final = Argument(kind="string", description="whose midnight ends a day; the person's zone if it is not given")
_HALF_LIFE: Final = Argument(kind="number", default=DAY_S, above=0.0, description="seconds; a day if not given")
_STATE: Final = Argument(kind="JSON", description="the value whose seconds are wanted; all of them if not given")
_AGE: Final = Argument(kind="number", default=DAY_S, above=0.0, description="seconds before now, if since is not given")

SUMMARIES: Final = (
    Resolver("most_frequent", most_frequent, None, "the value told most often", considers="plain"),
    Resolver("mean", mean, None, "the mean of the numbers", considers="plain"),
    Resolver("sum", total, None, "the sum of the numbers", considers="plain"),
    Resolver("count", count, None, "how many pieces of evidence", considers="plain"),
    Resolver("is_known", is_known, None, "Whether anything is known", considers="plain"),
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
        {"state": _STATE, "since": _SINCE, "until": _UNTIL, "by": _BY, "time_zone": _ZONE},
        "plain",
        spans=True,
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


def shipped_with(days: Days) -> Resolvers:
    """Give all of them, with a calendar."""
    by_days = msgspec.structs.replace(SHIPPED["time_in_state"], resolve=partial(time_in_state, days=days))
    return {**SHIPPED, by_days.name: by_days}
