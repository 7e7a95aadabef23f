"""Which rules of a mapping write where another one does: to the same place, above it or below it.

What they write is copied first, as the other one may write into it. Most rules meet no other.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from model.preferences.mappings import MappingRule, Pack, Unpack
from model.preferences.paths import PathSegments, segments_of


class _Target(NamedTuple):
    """Below these segments, and to which names there: None, to no name below but to this place."""

    segments: PathSegments
    start: str | None


def meeting(rules: Sequence[MappingRule]) -> list[bool]:
    """Say it of each rule."""
    targets = [_target_of(rule) for rule in rules]
    plain = Counter(target.segments for target in targets if target.start is None)
    above = {place for segments in plain for place in _above(segments)}
    open_ones = [target for target in targets if target.start is not None]

    def meets(target: _Target) -> bool:
        if target.start is not None:
            return any(_touch(target, other) for other in targets if other is not target)
        here = target.segments
        among_plain = plain[here] > 1 or here in above or any(place in plain for place in _above(here))
        return among_plain or any(_touch(other, target) for other in open_ones)

    return [meets(target) for target in targets]


def _target_of(rule: MappingRule) -> _Target:
    match rule:
        case Unpack():
            return _Target(segments_of(rule.target), rule.prefix)
        case Pack():
            return _Target(segments_of(rule.target), "")
        case _:
            return _Target(segments_of(rule.target), None)


def _above(segments: PathSegments) -> list[PathSegments]:
    return [segments[:length] for length in range(len(segments))]


def _touch(one: _Target, other: _Target) -> bool:
    """Say whether what one writes to all names that begin so may meet what the other writes."""
    shared = min(len(one.segments), len(other.segments))
    if one.segments[:shared] != other.segments[:shared]:
        return False
    if len(other.segments) > shared:
        return other.segments[shared].startswith(one.start or "")
    if len(one.segments) > shared:
        return one.segments[shared].startswith(other.start or "")
    start, others_start = one.start or "", other.start or ""
    return start.startswith(others_start) or others_start.startswith(start)
