"""Preferences said in another ontology, by the rules of a mapping. What no rule names is not carried over.

Rules are compiled once: what they read into a tree of names, so that a document costs what it holds and not what the
mapping holds. They write in the order of the length of what they write to, as a path is written, and of two of the same
length in the order of the mapping. That decides the order of names in the result, and which of two writes to one place
counts: the later. ValueTable are not copied: the result shares them with the document.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from model.preferences.mappings import Copy, Linear, Mapping, MappingRule, Pack, Unpack, ValueTable
from model.preferences.paths import MISSING, PathSegments, escaped, segments_of
from model.preferences.sets import Tree, is_object, written_over
from model.preferences.values import Convert, line_of, table_of

_RANKS: Final = 1 << 20
"""More than any mapping has rules: a rank is the length of a path times this, plus the rule's number."""

_TRAVELS: Final = "parameters"
"""Of an application's block, its settings. What else it has says where it comes from."""


def inverse(mapping: Mapping) -> Mapping:
    """Give what leads back: each rule the other way round, in the same order."""
    return Mapping(mapping.target, mapping.source, tuple(map(_turned, mapping.rules)))


def _turned(rule: MappingRule) -> MappingRule:
    match rule:
        case Copy(source, target):
            return Copy(target, source)
        case ValueTable(source, target, pairs):
            return ValueTable(target, source, tuple((meant, given) for given, meant in pairs))
        case Linear(source, target, points, target_points, decimals, target_decimals):
            return Linear(target, source, target_points, points, target_decimals, decimals)
        case Unpack(source, target, prefix):
            return Pack(target, source, prefix)
        case Pack(source, target, prefix):
            return Unpack(target, source, prefix)


def marks(tree: Any) -> Any:
    """Give the same tree of objects with `true` for each value: where something is said, and not what."""
    if not is_object(tree):
        return True
    marked: Tree = {}
    todo = [(marked, tree)]
    while todo:
        into, source = todo.pop()
        for name, value in source.items():
            if type(value) is dict:
                below: Tree = {}
                into[name] = below
                todo.append((below, value))
            else:
                into[name] = True
    return marked


class _Write(NamedTuple):
    """Where a rule writes: at the document's root if there is no name."""

    rank: int
    parents: PathSegments
    name: str | None
    convert: Convert | None
    meets: bool
    """Whether another rule writes to the same place, above or below it."""


class _Blocks(NamedTuple):
    """A rule for applications."""

    rule: Unpack | Pack
    number: int
    meets: bool


class _Place:
    """What is read at one place of a document."""

    __slots__ = ("below", "blocks", "writes")

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.writes: list[_Write] = []
        self.blocks: list[_Blocks] = []

    def at(self, segments: PathSegments) -> "_Place":
        place = self
        for segment in segments:
            place = place.below.setdefault(segment, _Place())
        return place


_Found = tuple[int, _Write, Any]


class Transform:
    """The rules of a mapping, ready to be applied."""

    def __init__(self, rules: Sequence[MappingRule]) -> None:
        self.sources: Final[tuple[str, ...]] = tuple(dict.fromkeys(rule.source for rule in rules))
        """The paths that are read, as the mapping writes them."""
        self._root = _Place()
        targets = [_target_of(rule) for rule in rules]
        for number, rule in enumerate(rules):
            self._add(rule, number, meets=_meets(number, targets))

    def transformed(self, document: Any) -> Tree:
        """Say a preference tree in the other ontology."""
        return self._apply(document, converting=True)

    def marked(self, document: Any) -> Tree:
        """Carry marks over: a tree of `true`, which no rule turns into anything else."""
        return self._apply(document, converting=False)

    def _add(self, rule: MappingRule, number: int, *, meets: bool) -> None:
        place = self._root.at(segments_of(rule.source))
        if isinstance(rule, Unpack | Pack):
            place.blocks.append(_Blocks(rule, number, meets))
            return
        target = segments_of(rule.target)
        rank = len(rule.target) * _RANKS + number
        place.writes.append(_Write(rank, target[:-1], target[-1] if target else None, _convert_of(rule), meets))

    def _apply(self, document: Any, *, converting: bool) -> Tree:
        found = _found_in(self._root, document)
        found.sort(key=itemgetter(0))
        result: Tree = {}
        for _rank, write, value in found:
            if converting and write.convert is not None:
                value = write.convert(value)
                if value is MISSING:
                    continue
            _put(result, write, value)
        return result


def _convert_of(rule: Copy | ValueTable | Linear) -> Convert | None:
    match rule:
        case ValueTable():
            return table_of(rule)
        case Linear():
            return line_of(rule)
        case Copy():
            return None


def _target_of(rule: MappingRule) -> tuple[PathSegments, str]:
    """Give where a rule writes: below the segments, to names that begin with the text."""
    return segments_of(rule.target), rule.prefix if isinstance(rule, Unpack) else ""


def _meets(number: int, targets: list[tuple[PathSegments, str]]) -> bool:
    segments, prefix = targets[number]
    return any(
        _one_above(segments, prefix, others, others_prefix)
        for at, (others, others_prefix) in enumerate(targets)
        if at != number
    )


def _one_above(segments: PathSegments, prefix: str, others: PathSegments, others_prefix: str) -> bool:
    """Say whether one place is the other or above it; a prefix stands for all names that begin with it."""
    shared = min(len(segments), len(others))
    if segments[:shared] != others[:shared]:
        return False
    if len(segments) == len(others):
        return prefix.startswith(others_prefix) or others_prefix.startswith(prefix)
    longer, wanted = (segments, others_prefix) if len(segments) > shared else (others, prefix)
    return longer[shared].startswith(wanted)


def _found_in(root: _Place, document: Any) -> list[_Found]:
    """Find what the rules read, in no order."""
    found: list[_Found] = []
    todo = [(root, document)]
    while todo:
        place, value = todo.pop()
        found += [(write.rank, write, value) for write in place.writes]
        if type(value) is not dict:
            continue
        for blocks in place.blocks:
            found += _unpacked(blocks, value) if isinstance(blocks.rule, Unpack) else _packed(blocks, value)
        below = place.below
        names = value if len(value) < len(below) else below
        todo += [(below[name], value[name]) for name in names if name in below and name in value]
    return found


def _unpacked(blocks: _Blocks, entries: Tree) -> list[_Found]:
    rule = blocks.rule
    parents = segments_of(rule.target)
    length = _start_of(rule.target) + len(escaped(rule.prefix))
    found = []
    for name, entry in entries.items():
        if type(entry) is dict and _TRAVELS in entry:
            rank = (length + len(escaped(name))) * _RANKS + blocks.number
            found.append((rank, _Write(rank, parents, rule.prefix + name, None, True), entry[_TRAVELS]))
    return found


def _packed(blocks: _Blocks, terms: Tree) -> list[_Found]:
    rule = blocks.rule
    parents = segments_of(rule.target)
    length = _start_of(rule.target)
    marker = _marker_of(rule.prefix)
    found = []
    for term, value in terms.items():
        if marker in term:
            name = term[term.index(marker) + len(marker) :]
            rank = (length + len(escaped(name))) * _RANKS + blocks.number
            found.append((rank, _Write(rank, parents, name, None, True), {_TRAVELS: value, "id": name}))
    return found


def _start_of(target: str) -> int:
    """Give how many characters come before the name."""
    return len(target) + 1 if target else 0


def _marker_of(prefix: str) -> str:
    """Give what a term must hold to be an application's: a prefix that is a URI, under any scheme."""
    scheme, slashes, rest = prefix.partition("//")
    return slashes + rest if scheme.endswith(":") else prefix


def _put(result: Tree, write: _Write, value: Any) -> None:
    holder = result
    for name in write.parents:
        below = holder.get(name)
        if type(below) is not dict:
            below = holder[name] = {}
        holder = below
    if write.name is None:
        _put_at_root(result, value)
    elif write.meets:
        holder[write.name] = written_over(holder.get(write.name), _copied(value))
    else:
        holder[write.name] = value


def _put_at_root(result: Tree, value: Any) -> None:
    """Only an object can be what a preference tree is."""
    if is_object(value):
        merged = written_over(result.copy(), _copied(value))
        result.clear()
        result.update(merged)


def _copied(value: Any) -> Any:
    """Copy objects, as a later rule may write into them."""
    if not is_object(value):
        return value
    copied: Tree = {}
    todo = [(copied, value)]
    while todo:
        into, source = todo.pop()
        for name, part in source.items():
            into[name] = part
            if is_object(part):
                below: Tree = {}
                into[name] = below
                todo.append((below, part))
    return copied
