"""What an app would see, as the page shows it: the real values, each under the slice that it comes by."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_http.home.values import ShownValue, shown
from schemas.granting import PreviewedAsk, PreviewedComponent, PreviewGrantReply
from schemas.paths import Path, format_path, parse_path
from schemas.slices import Slice


class SeenValue(NamedTuple):
    """A component as the app would get it."""

    name: str
    description: str
    value: ShownValue
    evidence: int
    """Pieces that its value is made of."""
    failed: str
    """Why it would get no value; empty: it gets one."""


class SeenContext(NamedTuple):
    """A context as the app would see it."""

    name: str
    values: list[SeenValue]
    more: int
    """Values for which there was no room."""


class SliceSight(NamedTuple):
    """What an app would see by one slice."""

    contexts: list[SeenContext]
    values: int
    """How many are shown."""


def sights(reply: PreviewGrantReply, slices: Sequence[Slice]) -> list[SliceSight]:
    """Give what is seen by each slice, and last what is seen by none of them: the app has that already."""
    found: list[dict[str, SeenContext]] = [{} for _ in range(len(slices) + 1)]
    for ask in reply.asks:
        whose = _by_context(tuple(ask.context), ask.whose_rules, slices)
        for one in ask.components:
            path = tuple(one.path)
            by = _by_component(path, ask.whose_rules, slices)
            _context(found[whose if by is None else by], path[:-1]).values.append(_seen(one))
        if ask.more:
            _add_more(found[whose], ask)
    return [SliceSight(list(each.values()), sum(len(one.values) for one in each.values())) for each in found]


def _context(found: dict[str, SeenContext], path: Path) -> SeenContext:
    name = " / ".join(path)
    return found.setdefault(name, SeenContext(name, [], 0))


def _add_more(found: dict[str, SeenContext], ask: PreviewedAsk) -> None:
    context = _context(found, tuple(ask.context))
    found[context.name] = context._replace(more=context.more + ask.more)


def _by_component(path: Path, whose_rules: str | None, slices: Sequence[Slice]) -> int | None:
    text = format_path(path)
    return next((at for at, one in _seeing(whose_rules, slices) if text in one.components), None)


def _by_context(path: Path, whose_rules: str | None, slices: Sequence[Slice]) -> int:
    """Give the slice whose context is the nearest around a path; the number of slices: none is."""
    nearest, found = -1, len(slices)
    for at, one in _seeing(whose_rules, slices):
        for place in map(parse_path, one.paths):
            if path[: len(place)] == place and len(place) > nearest:
                nearest, found = len(place), at
    return found


def _seeing(whose_rules: str | None, slices: Sequence[Slice]) -> Iterator[tuple[int, Slice]]:
    """Give the slices that let an app ask, or its rules in the model of a person."""
    return ((at, one) for at, one in enumerate(slices) if "ask" in one.actions and one.whose_rules == whose_rules)


def _seen(one: PreviewedComponent) -> SeenValue:
    failed = one.error.message if one.error is not None else ""
    return SeenValue(one.path[-1], one.description, shown(one.value), one.evidence, failed)
