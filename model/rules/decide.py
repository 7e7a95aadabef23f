"""Rules: read, written, decided. A rule says what is to happen when its component is told something or its time comes.

`decide` is a generator that asks for the values it needs, as `Wanted`, and ends with the effects. So a rule is pure,
and whoever drives it says where the values come from. It asks only for what it needs: the action's values when the
rule matches, a path's before the component that it leads to.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from model.conversions import like
from model.rules.patterns import PatternError, matches_start
from model.rules.statement import (
    NotifyAction,
    PathText,
    Reference,
    Rule,
    RuleSyntaxError,
    RuleTerm,
    TellAction,
    Text,
    literal_text,
    split_place,
)
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceType
from schemas.paths import Path

__all__ = ["Notification", "Rule", "Telling", "Wanted", "check_rule", "decide", "format_rule", "parse_rule"]

OWN_MODEL: Final = "."
"""Stands for the model that the rule is in."""

MAX_URL_CHARACTERS: Final = 8192
"""Characters of a URL to notify: what web servers commonly take."""

_UNSAFE: Final = re.compile(r"""[<>"'!]|^\s|\s$""")
_LITERAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false")
"""Bare text that stands for a number or a boolean where a value is told."""


class Wanted(NamedTuple):
    """A value that a decision needs: the component's, by its resolver or by the one named."""

    model: str
    """`.`, or another user."""
    path: Path
    resolver: str | None = None


class Telling(msgspec.Struct, frozen=True):
    """Evidence to be told to a component."""

    model: str
    path: Path
    evidence_type: EvidenceType
    value: Any


class Notification(msgspec.Struct, frozen=True):
    """A URL to be told of the firing."""

    method: Literal["GET", "POST"]
    url: str
    matched: str
    """The text of the left side."""


RuleEffect = Telling | Notification
Deciding = Generator[tuple[Wanted, ...], Sequence[Any], list[RuleEffect]]
_Values = Generator[tuple[Wanted, ...], Sequence[Any], list[Any]]


def parse_rule(text: str) -> Rule:
    """Read a rule in time linear in its length. Raises `bad_rule` whose field is `statement:line:column`."""
    # Seldom needed, and it brings a parser.
    from model.rules.grammar import parse_statement

    try:
        return parse_statement(text)
    except RuleSyntaxError as error:
        raise Refusal(Code.BAD_RULE, error.message, f"statement:{error.line}:{error.column}") from error


def check_rule(text: str) -> None:
    """Raise what `parse_rule` raises."""
    parse_rule(text)


def decide(rule: Rule) -> Deciding:
    """Yield the values that are needed, several at a time; be sent them, in their order; return the effects.

    Raises a `Refusal` when the values make the rule impossible: a pattern that is none, a path without a value.
    """
    left, right = yield from _values_of([rule.left, rule.right])
    matched = text_of(left)
    try:
        if not matches_start(text_of(right), matched):
            return []
    except PatternError as error:
        raise Refusal(Code.BAD_RULE, f"the right side is not a regular expression (RE2): {error}") from error
    if isinstance(rule.action, TellAction):
        return (yield from _tell(rule.action))
    url = yield from _url(rule.action.items)
    return [Notification(rule.action.method, url, matched)]


def text_of(value: Any) -> str:
    """Give a value as text: nothing as the empty one, numbers and the like as in JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _tell(action: TellAction) -> Deciding:
    target, value = yield from _values_of([action.target, action.value])
    model, path = split_place(text_of(target))
    if isinstance(action.value, PathText):
        value = msgspec.json.decode(value) if _LITERAL.fullmatch(value) else value
    if action.only_changed:
        (now,) = yield (Wanted(model, path),)
        if _same(now, value):
            return []
    return [Telling(model, path, action.evidence_type, value)]


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is not 1, but 1.0 is. The other one counts as what it becomes when it is told."""
    told = like(other, one)
    return isinstance(one, bool) == isinstance(told, bool) and bool(one == told)


def _url(items: Sequence[RuleTerm]) -> Generator[tuple[Wanted, ...], Sequence[Any], str]:
    """Put the URL together. A value after its beginning is data: escaped, so that it cannot change where it leads."""
    pieces = _pieces(items)
    values = iter((yield from _resolved([piece for piece in pieces if isinstance(piece, Reference)])))
    url = ""
    for piece in pieces:
        text = piece if isinstance(piece, str) else text_of(next(values))
        url += quote(text, safe="") if url and isinstance(piece, Reference) else text
    if len(url) > MAX_URL_CHARACTERS:
        raise Refusal(Code.TOO_LARGE, f"the URL to notify has {len(url)} characters, at most {MAX_URL_CHARACTERS}")
    return url


def _pieces(items: Sequence[RuleTerm]) -> list[str | Reference]:
    pieces: list[str | Reference] = []
    for item in items:
        if isinstance(item, PathText):
            pieces.extend(item.parts)
        else:
            pieces.append(item.text if isinstance(item, Text) else item)
    return pieces


def _values_of(items: Sequence[RuleTerm]) -> _Values:
    """Give each item's value; of a path its text, with the values in it escaped as names."""
    references = [part for item in items for part in _references(item)]
    values = iter((yield from _resolved(references)))
    return [_value(item, values) for item in items]


def _references(item: RuleTerm) -> list[Reference]:
    if isinstance(item, Reference):
        return [item]
    return [part for part in item.parts if isinstance(part, Reference)] if isinstance(item, PathText) else []


def _value(item: RuleTerm, values: Iterator[Any]) -> Any:
    if isinstance(item, Text):
        return item.text
    return next(values) if isinstance(item, Reference) else _place_text(item, values)


def _place_text(place: PathText, values: Iterator[Any]) -> str:
    return "".join(part if isinstance(part, str) else _name(next(values)) for part in place.parts)


def _name(value: Any) -> str:
    """Make a name of a value: it never reaches out of its place in the path, whatever it holds."""
    if value is None:
        raise Refusal(Code.BAD_PATH, "a path in the rule needs a value that is not there yet")
    return text_of(value).replace("~", "~0").replace("/", "~1")


def _resolved(references: Sequence[Reference]) -> _Values:
    """Have references resolved: all of one depth in one step, those nested in them before."""
    if not references:
        return []
    nested = [part for reference in references for part in reference.place.parts if isinstance(part, Reference)]
    inner = iter((yield from _resolved(nested)))
    wanted = [Wanted(*split_place(_place_text(reference.place, inner)), reference.resolver) for reference in references]
    return list((yield tuple(wanted)))


def format_rule(rule: Rule) -> str:
    """Write a rule so that `parse_rule` gives it back."""
    cron = f'["{rule.cron}"] ' if rule.cron is not None else ""
    return f"{cron}{_format(rule.left)} ~ {_format(rule.right)} : {_format_action(rule.action)}"


def _format_action(action: TellAction | NotifyAction) -> str:
    if isinstance(action, TellAction):
        verb = "TELLCHANGED" if action.only_changed else "TELL"
        return f"{verb} {_format(action.target)}, {action.evidence_type}:{_format(action.value)}"
    # A path that reads like a method needs the method in front.
    named = action.method == "POST" or (literal_text(action.items[0]) or "").upper() in ("GET", "POST")
    return " ".join(["NOTIFY", *([action.method] if named else []), *map(_format, action.items)])


def _format(item: RuleTerm) -> str:
    if isinstance(item, Text):
        return _quoted(item.text)
    if isinstance(item, PathText):
        return "".join(part if isinstance(part, str) else _format(part) for part in item.parts)
    resolver = "" if item.resolver is None else f"{item.resolver}!"
    parts = [_format_names(part) if isinstance(part, str) else _format(part) for part in item.place.parts]
    return f"<{resolver}{''.join(parts)}>"


def _format_names(text: str) -> str:
    return "/".join(_format_name(name) for name in text.split("/"))


def _format_name(name: str) -> str:
    return _quoted(name.replace("~1", "/").replace("~0", "~")) if _UNSAFE.search(name) else name


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
