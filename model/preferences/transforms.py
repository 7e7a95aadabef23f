"""Preferences said in another ontology, by the rules of a mapping. What no rule names is not carried over.

Rules are compiled once: what they read into a tree of names, so that a document costs what it holds and not what the
mapping holds. They write in the order of the length of what they write to, as a path is written, and of two of the same
length in the order of the mapping. That decides the order of names in the result, and which of two writes to one place
counts: the later. Values are not copied: the result shares them with the document.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from model.preferences.compiled import FoundValue, ReadPlace, compiled, found_in
from model.preferences.mappings import Copy, Linear, Mapping, MappingRule, Pack, Unpack, ValueTable
from model.preferences.paths import MISSING
from model.preferences.sets import Tree, is_object, written_over

_RANK: Final = itemgetter(0)


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
    return _copied(tree, instead=True)


class Transform:
    """The rules of a mapping, ready to be applied."""

    def __init__(self, rules: Sequence[MappingRule]) -> None:
        self.sources: Final[tuple[str, ...]] = tuple(dict.fromkeys(rule.source for rule in rules))
        """The paths that are read, as the mapping writes them."""
        self._root: Final[ReadPlace] = compiled(rules)

    def transformed(self, document: Any) -> Tree:
        """Say a preference tree in the other ontology."""
        return _written(_converted(_in_order(found_in(self._root, document))))

    def marked(self, document: Any, *, below_null: bool = False) -> Tree:
        """Carry marks over: a tree of `true`, which no rule turns into anything else.

        On demand a null marks all that is below it, too.
        """
        return _written(_in_order(found_in(self._root, document, below_null=below_null)))


def _in_order(found: list[FoundValue]) -> list[FoundValue]:
    found.sort(key=_RANK)
    return found


def _converted(found: list[FoundValue]) -> list[FoundValue]:
    """Have values converted; what has no counterpart is left out."""
    if not any(write.convert for _, write, _, _ in found):
        return found
    converted = []
    for rank, write, name, value in found:
        counterpart = value if write.convert is None else write.convert(value)
        if counterpart is not MISSING:
            converted.append((rank, write, name, counterpart))
    return converted


def _written(found: list[FoundValue]) -> Tree:
    """Write what was found, in this order."""
    result: Tree = {}
    for _, write, name, value in found:
        holder = result
        for parent in write.parents:
            below = holder.get(parent)
            if type(below) is not dict:
                below = holder[parent] = {}
            holder = below
        if write.meets:
            value = _copied(value)  # the other rule may write into it
        if name is None:
            _write_all(result, value)
        else:
            holder[name] = written_over(holder[name], value) if name in holder else value
    return result


def _write_all(result: Tree, value: Any) -> None:
    """Write to the root. Only an object can be what a preference tree is."""
    if is_object(value):
        merged = written_over(result.copy(), value)
        result.clear()
        result.update(merged)


def _copied(value: Any, instead: Any = MISSING) -> Any:
    """Copy objects, with what is in them: as it is, or everywhere something else instead."""
    if not is_object(value):
        return value if instead is MISSING else instead
    copied: Tree = {}
    todo = [(copied, value)]
    while todo:
        into, source = todo.pop()
        for name, part in source.items():
            if type(part) is dict:
                below: Tree = {}
                into[name] = below
                todo.append((below, part))
            else:
                into[name] = part if instead is MISSING else instead
    return copied
