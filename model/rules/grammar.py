"""The rule language: its grammar, and how a statement is read.

    [ "cron" ] item ~ item : TELL path, type : item
                           : TELLCHANGED path, type : item
                           : NOTIFY [GET | POST] item item …

An item is a string in single or double quotes, a path, or a reference `<resolver!model/context/component>`, which
stands for a resolved value; `<model/…>` leaves the resolver to the component. The model is `.`, the one that the rule
is in, or the id of another. References nest inside paths: `<<bobphone/seenby>/location>`. In a string a backslash
takes the quote or backslash after it as it is; before anything else it stands for itself, as in `"\\d+"`.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, Literal, NamedTuple, get_args

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from model.rules.patterns import PatternError, check_pattern
from model.rules.schedules import CronError, parse_cron
from model.rules.statement import (
    MAX_NESTING,
    MAX_REFERENCES,
    MAX_RULE_CHARACTERS,
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
from schemas.errors import Refusal
from schemas.evidence import EvidenceType

_GRAMMAR: Final = r"""
start: [cron] item "~" item ":" action
cron: STRING | _LSQB (STRING | CRON) "]"
?action: _TELL item "," TYPE ":" item         -> tell
       | _TELLCHANGED item "," TYPE ":" item  -> tell_changed
       | _NOTIFY [METHOD] item+               -> notify
?item: text | path | reference
text: STRING
path: PATH (PATH_ON | joined)* | reference PATH_ON (PATH_ON | joined)*
reference: LESS [RESOLVER] (NAMES | quoted | nested)+ ">"
nested: LESS [RESOLVER] (NAMES | quoted | nested)+ ">"   -> reference
joined: LESS_ON [RESOLVER] (NAMES | quoted | nested)+ ">" -> reference
quoted: STRING

STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
CRON: /[^\]"'\s][^\]"']*/
PATH: /(?!~)(?:[^\s"'<>~:,\[\]]|~[01])+/
PATH_ON.2: /(?<=>)(?!~)(?:[^\s"'<>~:,\[\]]|~[01])+/
LESS: "<"
LESS_ON.2: /(?<=[^\s"'<>:,\[\]])</
RESOLVER.2: /[^\s"'<>!\/]+!/
NAMES: /[^<>"'\s](?:[^<>"']*[^<>"'\s])?/
TYPE: /[A-Za-z_]+/
METHOD.2: /(?:GET|POST)(?=[\s<"'])/i
_LSQB: "["
_TELL: /TELL(?![A-Za-z])/i
_TELLCHANGED: /TELLCHANGED(?![A-Za-z])/i
_NOTIFY: /NOTIFY(?![A-Za-z])/i
%ignore /\s+/
"""
"""Two tokens look behind: what follows a path or reference without a space between goes on with it (`_ON`)."""

_SHOWN: Final = {
    "STRING": "a quoted string",
    "CRON": "a cron specification",
    "PATH": "a path",
    "LESS": "<resolver!model/context/component>",
    "RESOLVER": "a resolver",
    "NAMES": "model/context/component",
    "TYPE": "a type of evidence",
    "METHOD": "GET or POST",
    "_TELL": "TELL",
    "_TELLCHANGED": "TELLCHANGED",
    "_NOTIFY": "NOTIFY",
    "_LSQB": "[",
    "TILDE": "~",
    "COLON": ":",
    "COMMA": ",",
    "MORETHAN": ">",
    "RSQB": "]",
    "$END": "the end of the rule",
}
_HIDDEN: Final = frozenset({"PATH_ON", "LESS_ON", "__IGNORE_0"})
_ESCAPED: Final = re.compile(r"""\\([\\"'])""")
_LONE_TILDE: Final = re.compile(r"~(?![01])")
_EVIDENCE_TYPES: Final = get_args(EvidenceType)


def parse_statement(text: str) -> Rule:
    """Parse a rule, in time linear in its length, and check all that is known of it. Raises `RuleSyntaxError`."""
    if len(text) > MAX_RULE_CHARACTERS:
        raise RuleSyntaxError(f"a rule has at most {MAX_RULE_CHARACTERS} characters, this one {len(text)}", 1, 1)
    try:
        rule = _parser().parse(text)
    except UnexpectedCharacters as error:
        message = f"{error.char!r} cannot stand here, expected {_expected(error.allowed)}"
        raise RuleSyntaxError(message, error.line, error.column) from error
    except UnexpectedToken as error:
        raise _unexpected(text, error) from error
    except UnexpectedInput as error:
        raise RuleSyntaxError("this cannot be read", error.line, error.column) from error
    assert isinstance(rule, Rule)
    return rule


def _unexpected(text: str, error: UnexpectedToken) -> RuleSyntaxError:
    message = f"expected {_expected(error.accepts or error.expected)}"
    if error.token.type != "$END":
        return RuleSyntaxError(f"{str(error.token)[:40]!r} cannot stand here, {message}", error.line, error.column)
    lines = text.split("\n")
    return RuleSyntaxError(f"something is missing at the end, {message}", len(lines), len(lines[-1]) + 1)


def _expected(terminals: Iterable[str] | None) -> str:
    names = sorted(_SHOWN.get(name, name) for name in terminals or () if name not in _HIDDEN)
    return " or ".join(names) or "nothing more"


class _Built(NamedTuple):
    """An item with the token that it starts with, how deep references nest in it and how many they are."""

    item: RuleTerm
    token: Token
    depth: int = 0
    references: int = 0


class _Builder(Transformer[Token, Any]):
    """Turns grammar rules into values while parsing, so that no tree is built and depth costs no recursion."""

    def start(self, children: list[Any]) -> Rule:
        *crons, left, right, action = children
        action, used = action
        if left.references + right.references + used > MAX_REFERENCES:
            raise _wrong(f"a rule has at most {MAX_REFERENCES} references", left.token)
        _check_right(right)
        return Rule(left.item, right.item, action, crons[0] if crons else None)

    def cron(self, children: list[Any]) -> str:
        token = children[0]
        quoted = token.type == "STRING"
        text = _unquoted(token) if quoted else str(token).strip()
        try:
            parse_cron(text)
        except CronError as error:
            raise RuleSyntaxError(error.message, token.line, token.column + error.offset + quoted) from error
        return text

    def tell(self, children: list[Any]) -> tuple[TellAction, int]:
        return _tell(children, only_changed=False)

    def tell_changed(self, children: list[Any]) -> tuple[TellAction, int]:
        return _tell(children, only_changed=True)

    def notify(self, children: list[Any]) -> tuple[NotifyAction, int]:
        method: Literal["GET", "POST"] = "GET"
        if isinstance(children[0], Token):
            method = "POST" if children.pop(0).upper() == "POST" else "GET"
        return NotifyAction(tuple(built.item for built in children), method), sum(one.references for one in children)

    def text(self, children: list[Any]) -> _Built:
        return _Built(Text(_unquoted(children[0])), children[0])

    def path(self, children: list[Any]) -> _Built:
        parts, depth, references = _joined(children)
        token = children[0] if isinstance(children[0], Token) else children[0].token
        return _Built(PathText(parts), token, depth, references)

    def reference(self, children: list[Any]) -> _Built:
        token, *rest = children
        resolver = None
        if isinstance(rest[0], Token) and rest[0].type == "RESOLVER":
            resolver = str(rest.pop(0))[:-1]
        parts, depth, references = _joined(rest)
        if depth >= MAX_NESTING:
            raise _wrong(f"references are nested more than {MAX_NESTING} deep", token)
        place = PathText(parts)
        _check_place(place, token)
        return _Built(Reference(place, resolver), token, depth + 1, references + 1)

    def quoted(self, children: list[Any]) -> str:
        return _unquoted(children[0]).replace("~", "~0").replace("/", "~1")


def _tell(children: list[Any], only_changed: bool) -> tuple[TellAction, int]:
    target, kind, value = children
    if kind not in _EVIDENCE_TYPES:
        raise _wrong(f"{str(kind)[:40]!r} is no type of evidence, expected {' or '.join(_EVIDENCE_TYPES)}", kind)
    if isinstance(target.item, Text):
        _check_place(PathText((target.item.text,)), target.token)
    elif isinstance(target.item, PathText):
        _check_place(target.item, target.token)
    action = TellAction(target.item, str(kind), value.item, only_changed)  # type: ignore[arg-type]
    return action, target.references + value.references


def _joined(children: list[Any]) -> tuple[tuple[str | Reference, ...], int, int]:
    """Put the pieces of a path together, adjoining texts into one; give its references' nesting and number, too."""
    parts: list[str | Reference] = []
    for child in children:
        if isinstance(child, _Built):
            assert isinstance(child.item, Reference)
            parts.append(child.item)
            continue
        text = _LONE_TILDE.sub("~0", child) if isinstance(child, Token) else child
        if parts and isinstance(parts[-1], str):
            parts[-1] += text
        else:
            parts.append(str(text))
    built = [child for child in children if isinstance(child, _Built)]
    return tuple(parts), max((one.depth for one in built), default=0), sum(one.references for one in built)


def _check_place(place: PathText, token: Token) -> None:
    """Refuse a path without references that can name no component. What references bring is seen when it fires."""
    if not all(isinstance(part, str) for part in place.parts):
        return
    try:
        split_place("".join(map(str, place.parts)))
    except Refusal as refusal:
        raise _wrong(refusal.error.message, token) from refusal


def _check_right(right: _Built) -> None:
    pattern = literal_text(right.item)
    if pattern is None:
        return
    try:
        check_pattern(pattern)
    except PatternError as error:
        raise _wrong(f"expected a regular expression (RE2): {error}", right.token) from error


def _unquoted(token: Token) -> str:
    return _ESCAPED.sub(r"\1", token[1:-1])


def _wrong(message: str, token: Token) -> RuleSyntaxError:
    return RuleSyntaxError(message, token.line or 1, token.column or 1)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)
