"""The rules of a mapping as a tree of the names that they read, so that finding costs what a document holds."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from model.preferences.mappings import Copy, Linear, MappingRule, Pack, Unpack, ValueTable
from model.preferences.meeting import meeting
from model.preferences.paths import PathSegments, escaped, segments_of
from model.preferences.values import Convert, line_of, table_of

_RANKS: Final = 1 << 20
"""More than any mapping has rules: a rank is the length of a path times this, plus the rule's number."""

_SETTINGS: Final = "parameters"
"""Of an application's block, its settings. What else it holds is not carried over."""


class WriteStep(NamedTuple):
    """What a rule does with what it reads."""

    rank: int
    """In this order values are written. For blocks of applications: of a name without any letters."""
    parents: PathSegments
    name: str | None
    """Where below the parents. None for the document as a whole, and for blocks, which bring their names."""
    convert: Convert | None
    meets: bool
    """Whether another rule writes to the same place, above or below it."""


FoundValue = tuple[int, WriteStep, str | None, Any]
"""Rank, what to do, the name to write to, and the value that was read."""


class BlockRule(NamedTuple):
    """A rule for applications, with what is the same for all of them."""

    write: WriteStep
    packs: bool
    text: str
    """What a term begins with; where terms are packed, what it must hold."""


class ReadPlace:
    """What is read at one place of a document, and below it."""

    __slots__ = ("below", "blocks", "writes")

    def __init__(self) -> None:
        self.below: dict[str, ReadPlace] = {}
        self.writes: list[WriteStep] = []
        self.blocks: list[BlockRule] = []

    def at(self, segments: PathSegments) -> "ReadPlace":
        """Give the place there, made if need be."""
        place = self
        for segment in segments:
            place = place.below.setdefault(segment, ReadPlace())
        return place


def compiled(rules: Sequence[MappingRule]) -> ReadPlace:
    """Give the root of the tree."""
    root = ReadPlace()
    for number, (rule, meets) in enumerate(zip(rules, meeting(rules), strict=True)):
        place = root.at(segments_of(rule.source))
        if isinstance(rule, Unpack | Pack):
            place.blocks.append(_blocks_of(rule, number, meets=meets))
        else:
            target = segments_of(rule.target)
            name = target[-1] if target else None
            place.writes.append(WriteStep(_rank(rule.target, number), target[:-1], name, _convert_of(rule), meets))
    return root


def found_in(root: ReadPlace, document: Any, *, below_null: bool = False) -> list[FoundValue]:
    """Find what the rules read, in no order. On demand null stands for null at all places below it, too."""
    found: list[FoundValue] = []
    todo = [(root, document)]
    while todo:
        place, value = todo.pop()
        for write in place.writes:
            found.append((write.rank, write, write.name, value))  # noqa: PERF401 - mostly one, or none
        if type(value) is dict:
            for blocks in place.blocks:
                entries = _with_null_below(value) if below_null else value
                found += _packed(blocks, value) if blocks.packs else _unpacked(blocks, entries)
            below = place.below
            if below:
                todo += [(below[name], value[name]) for name in below.keys() & value.keys()]
        elif below_null and value is None:
            todo += [(below, None) for below in place.below.values()]
    return found


def _with_null_below(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: {_SETTINGS: None} if entry is None else entry for name, entry in entries.items()}


def _unpacked(blocks: BlockRule, entries: dict[str, Any]) -> list[FoundValue]:
    write, start = blocks.write, blocks.text
    return [
        (write.rank + len(escaped(name)) * _RANKS, write, start + name, entry[_SETTINGS])
        for name, entry in entries.items()
        if type(entry) is dict and _SETTINGS in entry
    ]


def _packed(blocks: BlockRule, terms: dict[str, Any]) -> list[FoundValue]:
    write, marker = blocks.write, blocks.text
    named = [(term.split(marker, 1)[1], value) for term, value in terms.items() if marker in term]
    return [
        (write.rank + len(escaped(name)) * _RANKS, write, name, {_SETTINGS: value, "id": name}) for name, value in named
    ]


def _blocks_of(rule: Unpack | Pack, number: int, *, meets: bool) -> BlockRule:
    start = f"{rule.target}." if rule.target else ""
    packs = isinstance(rule, Pack)
    rank = _rank(start if packs else start + escaped(rule.prefix), number)
    text = _marker_of(rule.prefix) if packs else rule.prefix
    return BlockRule(WriteStep(rank, segments_of(rule.target), None, None, meets), packs, text)


def _marker_of(prefix: str) -> str:
    """Give what a term must hold to be an application's: a prefix that is a URI, under any scheme."""
    scheme, slashes, rest = prefix.partition("//")
    return slashes + rest if scheme.endswith(":") else prefix


def _rank(path: str, number: int) -> int:
    return len(path) * _RANKS + number


def _convert_of(rule: Copy | ValueTable | Linear) -> Convert | None:
    match rule:
        case ValueTable():
            return table_of(rule)
        case Linear():
            return line_of(rule)
        case Copy():
            return None
