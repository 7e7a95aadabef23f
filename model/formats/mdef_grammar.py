"""One statement of the model definition format: its grammar, and what it says as plain values with their positions.

A name is bare text without `:` `,` `"` `#`, brackets and line ends that starts with none of `- = @ $ '`, or a string
in double quotes. Strings are JSON strings: `\\"`, `\\\\`, `\\n`, `\\u00e9`; any other backslash is an error.
"""

from functools import cache
from typing import Any, Final, Literal, NamedTuple

import msgspec
from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

_GRAMMAR: Final = r"""
?start: "@@" name [":" members]  -> context
      | "--" name [":" members]  -> component
      | "==" name ":" names      -> view
names: [name ("," name)* [_comma]]
members: [_member ("," _member)* [_comma]]
_member: pair | evidence
evidence: "[" [pair ("," pair)* [_comma]] "]"
pair: KEY "=" value
_comma: ","
?value: text | number | TRUE -> true | FALSE -> false | NULL -> null | array | object
array: "[" [value ("," value)*] "]"
object: "{" [entry ("," entry)*] "}"
entry: text ":" value
text: STRING
number: NUMBER
name: NAME | STRING

STRING: /"(?:[^"\\\n]|\\.)*"/
NAME: /[^\s:,"'#=@$\[\]{}-][^:,"#\[\]{}\n]*/
KEY: /[A-Za-z_][A-Za-z_0-9]*/
NUMBER: /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/
TRUE: "true"
FALSE: "false"
NULL: "null"
%ignore /[ \t\r\n]+/
"""

_SHOWN: Final = {
    "STRING": "a quoted string",
    "NAME": "a name",
    "KEY": "a keyword",
    "NUMBER": "a number",
    "COLON": "':'",
    "COMMA": "','",
    "EQUAL": "'='",
    "LSQB": "'['",
    "RSQB": "']'",
    "LBRACE": "'{'",
    "RBRACE": "'}'",
    "$END": "the end of the line",
    "__ANON_0": "'@@'",
    "__ANON_1": "'--'",
    "__ANON_2": "'=='",
}


class MdefSyntaxError(Exception):
    """What is wrong with a statement and where in it, both counted from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Word(NamedTuple):
    """A name as it is written, `/` and `~` escapes still in it."""

    text: str
    line: int
    column: int


class Pair(NamedTuple):
    """`key=value`, the value as in JSON."""

    key: str
    value: Any
    line: int
    column: int


class Statement(NamedTuple):
    """A context, a component or a view."""

    kind: Literal["context", "component", "view"]
    name: Word
    pairs: list[Pair]
    evidence: list[list[Pair]]
    names: list[Word]


def parse_statement(text: str) -> Statement:
    """Parse one statement, in time linear in its length. Raises `MdefSyntaxError`."""
    try:
        statement = _parser().parse(text)
    except UnexpectedCharacters as error:
        message = f"{error.char!r} cannot stand here, expected {_expected(error.allowed)}"
        raise MdefSyntaxError(message, error.line, error.column) from error
    except UnexpectedToken as error:
        raise _unexpected(text, error) from error
    except UnexpectedInput as error:
        raise MdefSyntaxError("this cannot be read", error.line, error.column) from error
    assert isinstance(statement, Statement)
    return statement


def _unexpected(text: str, error: UnexpectedToken) -> MdefSyntaxError:
    message = f"expected {_expected(error.accepts or error.expected)}"
    if error.token.type != "$END":
        return MdefSyntaxError(f"{str(error.token)[:40]!r} cannot stand here, {message}", error.line, error.column)
    lines = text.split("\n")
    return MdefSyntaxError(f"something is missing at the end, {message}", len(lines), len(lines[-1]) + 1)


def _expected(terminals: Any) -> str:
    names = sorted(_SHOWN.get(name, name.lower()) for name in terminals or () if name != "__IGNORE_0")
    return " or ".join(names) or "nothing more"


class _Builder(Transformer[Token, Any]):
    """Turns rules into values while parsing, so that no tree is built and depth costs no recursion."""

    def context(self, children: list[Any]) -> Statement:
        return _statement("context", children)

    def component(self, children: list[Any]) -> Statement:
        return _statement("component", children)

    def view(self, children: list[Any]) -> Statement:
        name, names = children
        return Statement("view", name, [], [], names)

    def names(self, children: list[Any]) -> list[Any]:
        return children

    def members(self, children: list[Any]) -> list[Any]:
        return children

    def evidence(self, children: list[Any]) -> list[Any]:
        return children

    def pair(self, children: list[Any]) -> Pair:
        key, value = children
        return Pair(str(key), value, key.line, key.column)

    def array(self, children: list[Any]) -> list[Any]:
        return children

    def object(self, children: list[Any]) -> dict[str, Any]:
        return dict(children)

    def entry(self, children: list[Any]) -> tuple[str, Any]:
        key, value = children
        return key, value

    def text(self, children: list[Any]) -> str:
        return str(_decoded(children[0], "string"))

    def number(self, children: list[Any]) -> Any:
        return _decoded(children[0], "number")

    def name(self, children: list[Any]) -> Word:
        token = children[0]
        text = str(_decoded(token, "string") if token.type == "STRING" else token.strip())
        return Word(text, token.line, token.column)

    def true(self, _children: list[Any]) -> bool:
        return True

    def false(self, _children: list[Any]) -> bool:
        return False

    def null(self, _children: list[Any]) -> None:
        return None


def _statement(kind: Literal["context", "component"], children: list[Any]) -> Statement:
    name, members = children if len(children) == 2 else (children[0], [])
    pairs = [member for member in members if isinstance(member, Pair)]
    evidence = [member for member in members if not isinstance(member, Pair)]
    return Statement(kind, name, pairs, evidence, [])


def _decoded(token: Token, what: str) -> Any:
    try:
        return msgspec.json.decode(str(token))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        message = f'this is no {what} as in JSON: write \\\\ for a backslash and \\" for a quote'
        raise MdefSyntaxError(message, token.line or 1, token.column or 1) from error


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)
