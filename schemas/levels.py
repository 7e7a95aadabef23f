"""Levels: which verbs and members an installation takes, whichever versions of llum its workers have.

All workers of a partition apply the same log and must come to the same state. While an installation is upgraded, some
know verbs and members that others do not. So what is taken is decided by the log: the installation has a level, which
one command in each partition's log raises (`RaiseLevel`), and until then all refuse what a higher level has added, with
the same words. What no level knows is refused by all alike, too.

To add a verb or a member: write it into the schemas, and name it here, under the next level. So that both sides refuse
alike, what is of a higher level is not looked for in a message: it is read as an earlier llum reads it, with structs
that lack the new members. A member whose meaning or type becomes another one is a new member.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from schemas.commands import Command
from schemas.decoding import decode
from schemas.errors import Code, Refusal
from schemas.ids import check_id
from schemas.limits import PROTOCOL_VERSION
from schemas.queries import Query
from schemas.verbs import verb_of


class Added(NamedTuple):
    """What a level has added."""

    verbs: frozenset[type[msgspec.Struct]] = frozenset()
    """Commands and queries."""
    members: frozenset[tuple[type[msgspec.Struct], str]] = frozenset()
    """Members by their names, of messages or of what is in them: the struct that declares it, which others may extend.
    An earlier llum does without it, so it must have a default."""


FIRST_LEVEL: Final = 1
"""That of whatever does not say which one it has."""

ADDED: Final[Mapping[int, Added]] = {}
"""What each level above the first has added. Nothing is ever taken out or changed here."""


NEWEST: Final = max(ADDED, default=FIRST_LEVEL)
"""The highest level that this llum knows. New installations begin with it."""


class RaiseLevel(msgspec.Struct, kw_only=True, tag_field="verb", tag="raise_level", forbid_unknown_fields=True):
    """Take what is of this level, too, from here on. About a partition, not a person; only an operator sends it.

    A partition that has this level, or a higher one, stays as it is. Result: the level that it has then. This struct is
    the same at all levels, for ever.
    """

    id: str
    v: int = PROTOCOL_VERSION
    level: Annotated[int, msgspec.Meta(ge=FIRST_LEVEL, le=1_000_000)]


_raise_decoder: Final = msgspec.json.Decoder(RaiseLevel)


def decode_raise(data: bytes) -> RaiseLevel:
    """Decode the command that raises the level, or raise a `Refusal`."""
    command = decode(_raise_decoder, data)
    check_id(command.id)
    if command.v != PROTOCOL_VERSION:
        raise Refusal(Code.UNSUPPORTED_VERSION, f"version {command.v} is not known here", "v")
    return command


class Vocabulary:
    """Which commands, or which queries, are known at a level. Decoders are made when they are first needed."""

    def __init__(self, level: int, union: Any, later: Added) -> None:
        self._later = later
        self._messages = {verb_of(one): one for one in get_args(union) if one not in later.verbs}
        self.level = level
        self.verbs: Final = frozenset(self._messages)
        self.earlier: Final = self._narrowed() if later != Added() else None
        """Reads messages as an llum does that knows this level and no higher one. None: all is known that there is."""
        self.strict = cache(self._strict)

    def _narrowed(self) -> msgspec.json.Decoder[Any]:
        narrowing = _Narrowing(self._later.members)
        return msgspec.json.Decoder(Union[tuple(map(narrowing.of, self._messages.values()))])  # noqa: UP007 - of a tuple

    def _strict(self, verb: str) -> msgspec.json.Decoder[Any] | None:
        """Give what refuses unknown members within a message, too; None: its structs do that by themselves.

        Some ignore them, as they are parts of replies, too.
        """
        message = self._messages[verb]
        refusing = _Narrowing(self._later.members, strict=True).of(message)
        return None if refusing is _Narrowing(self._later.members).of(message) else msgspec.json.Decoder(refusing)


class Vocabularies(NamedTuple):
    """What is known at a level."""

    commands: Vocabulary
    queries: Vocabulary


class Levels:
    """What one llum knows, and at which level its installation has begun.

    `newest` is the highest level that it knows, and `added` what each level has added: both are given by tests alone.
    """

    def __init__(self, base: int = FIRST_LEVEL, newest: int = NEWEST, added: Mapping[int, Added] = ADDED) -> None:
        self.base = base
        self.newest = newest
        self._added = added
        self.at = cache(self._at)

    def _at(self, level: int) -> Vocabularies:
        """Give what is known at a level, of what this llum knows."""
        known = min(level, self.newest)
        later = [one for number, one in self._added.items() if number > known]
        return Vocabularies(Vocabulary(level, Command, _united(later)), Vocabulary(level, Query, _united(later)))


def _united(added: Iterable[Added]) -> Added:
    added = list(added)
    return Added(frozenset().union(*(one.verbs for one in added)), frozenset().union(*(one.members for one in added)))


class _Narrowing:
    """Makes structs without members that are of a later level, wherever they stand in a type.

    `strict`: they refuse unknown members, too, whatever the structs of this llum do.
    """

    def __init__(self, later: frozenset[tuple[type[msgspec.Struct], str]], *, strict: bool = False) -> None:
        self._later = later
        self._strict = strict
        self._made: dict[type, type] = {}

    def of(self, kind: Any) -> Any:
        """Give the type without them; the same one where it has none."""
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind not in self._made:
                self._made[kind] = self._struct(kind)
            return self._made[kind]
        origin, arguments = get_origin(kind), get_args(kind)
        if not arguments or origin is Literal:
            return kind
        narrowed = tuple(map(self.of, arguments))
        if all(one is other for one, other in zip(narrowed, arguments, strict=True)):
            return kind
        return Union[narrowed] if origin in (Union, UnionType) else origin[narrowed]  # noqa: UP007 - of a tuple

    def _struct(self, kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
        fields = msgspec.structs.fields(kind)
        kept = [(field, self.of(field.type)) for field in fields if not self._is_later(kind, field.name)]
        config = kind.__struct_config__
        refuses = config.forbid_unknown_fields or self._strict
        is_same = len(kept) == len(fields) and all(narrowed is field.type for field, narrowed in kept)
        if is_same and refuses == config.forbid_unknown_fields:
            return kind
        return msgspec.defstruct(
            kind.__name__,
            [_member(field, narrowed) for field, narrowed in kept],
            kw_only=True,
            tag=config.tag,
            tag_field=config.tag_field,
            forbid_unknown_fields=refuses,
        )

    def _is_later(self, kind: type[msgspec.Struct], name: str) -> bool:
        return any((owner, name) in self._later for owner in kind.__mro__)


def _member(field: msgspec.structs.FieldInfo, kind: Any) -> tuple[str, Any, Any]:
    """Describe a member that is only to be checked: what it is by default makes no difference."""
    name = field.encode_name
    return field.name, kind, msgspec.field(name=name) if field.required else msgspec.field(name=name, default=None)
