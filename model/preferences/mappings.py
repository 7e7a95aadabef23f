"""What a mapping between two ontologies says: rules, each from a place in the one to a place in the other.

Places are el-paths as they are written in the file (`display.screenEnhancement.fontSize`; the empty path is the whole
document). Rules are kept in the order of the file, as it decides which of two writes to one place counts.
"""

from typing import Any, NamedTuple


class Copy(NamedTuple):
    """The value is the same in both."""

    source: str
    target: str


class ValueTable(NamedTuple):
    """Values that differ, in pairs: a value that is in no pair has no counterpart and is not carried over.

    If a value is in several pairs, the first one counts; so the rule is its own inverse where the table is one to one.
    Values are compared as JSON: `true` is not 1, and 1 is 1.0.
    """

    source: str
    target: str
    pairs: tuple[tuple[Any, Any], ...]


class Linear(NamedTuple):
    """Numbers on two scales: the two numbers of `source_points` are the two of `target_points`, others lie on the line.

    A result is rounded to `source_decimals` or `target_decimals`, with 0 to an integer, half away from zero. What is no
    number has no counterpart.
    """

    source: str
    target: str
    source_points: tuple[float, float]
    target_points: tuple[float, float]
    source_decimals: int
    target_decimals: int


class Unpack(NamedTuple):
    """Blocks of settings of applications, to terms: `{source}.{id}.parameters` is the value of `{prefix}{id}`."""

    source: str
    target: str
    prefix: str


class Pack(NamedTuple):
    """The inverse of `Unpack`: each term of `source` that has the prefix becomes `{target}.{id}`, with its `id`."""

    source: str
    target: str
    prefix: str


MappingRule = Copy | ValueTable | Linear | Unpack | Pack


class Mapping(NamedTuple):
    """All rules from one ontology to another."""

    source: str
    target: str
    rules: tuple[MappingRule, ...]
