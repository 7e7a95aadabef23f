"""The model definition format (mdef), read and written. Writing a definition and reading it gives the same definition.

    # a comment; everything after @@ belongs to that context; @@/ is the root
    @@Personal: description="Who the person is"
    --firstname: type="attribute", value_type="string", description="First name",
        [evidence_type="explicit", value="Al", flags=["goal"]]
    --gender: type="attribute", value_type="enum", value="female", value="male", resolver="recent", rule="…"
    ==fullname: firstname, lastname, Other/Context/component
    $include more.mdef

A statement goes on in lines that start with white space or follow a comma. In names, `/` stands between segments and
is written `~1` inside one (`~` is `~0`); a view's element with a `/`, also in front, is a path from the root. Values
are JSON; a number or boolean may also stand in quotes. `goals` is a list of paths. In evidence `source`,
`owner`, `creation_time` and `objectType` are dropped, since llum stamps them, unknown ones become `extra`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from model.checks import check_below, check_component, check_json, check_resolver, check_statement, check_view
from model.formats.mdef_grammar import MdefSyntaxError, Pair, Statement, Word, parse_statement
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence, ValueType
from schemas.limits import MAX_COMMAND_BYTES, MAX_DEFINITION_ITEMS
from schemas.paths import Path, format_path, parse_path
from schemas.plain_checks import check_text
from schemas.reserved import check_members

MAX_CHARACTERS: Final = MAX_COMMAND_BYTES
"""Characters of a definition with all that it includes: more would not fit into the command that makes the model."""

MAX_INCLUDES: Final = 64
"""Files included in all. Also what ends a file that includes itself."""

RULE_HINT: Final = """a rule reads, for example, <./Sport/steps> ~ '10' : TELL ./Sport/goal, inferred:'met'"""

_NO_INCLUDES: Final[Mapping[str, str]] = MappingProxyType({})
_START = re.compile(r"[ \t]*(?:@@|--|==)")
_INCLUDE = re.compile(r"[ \t]*\$include\b[ \t]*(?P<name>.*)")
_CONTENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"#])*')
"""What stands before a comment: a `#` in a string starts none."""

_BARE = re.compile(r"[\w/~](?:[\w ./~-]*[\w/~])?")
_KEY = re.compile(r"\$\.(\w+)|unknown field `(\w+)`")
_STAMPED: Final = frozenset({"source", "owner", "creation_time", "objectType"})
_COMPONENT_KEYS: Final = {"type": "component_type", "value": "value_list", "rule": "rules"}
_REPEATED: Final = frozenset({"value_list", "rules", "goals"})
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}

_Definition = TypeVar("_Definition", ComponentDefinition, NewEvidence)


class _Line(NamedTuple):
    source: str
    """The included file with a colon, or nothing."""
    number: int
    text: str


def parse_mdef(text: str, includes: Mapping[str, str] = _NO_INCLUDES) -> ModelDefinition:
    """Read a definition; `includes` holds the texts of the files that it may include, by name.

    Raises a `Refusal` whose field is the position, `line:column` or `file:line:column`.
    """
    reader = _Reader()
    for count, lines in enumerate(_statements(_Expander(includes).lines("", text))):
        if count >= MAX_DEFINITION_ITEMS:
            message = f"there are more than {MAX_DEFINITION_ITEMS} statements"
            raise _Positioned(Code.TOO_LARGE, message, _position(lines, 1, 1))
        reader.read(lines)
    return ModelDefinition(contexts=list(reader.contexts.values()))


def format_mdef(definition: ModelDefinition) -> str:
    """Write a definition that `check_definition` accepts, so that `parse_mdef` gives it back."""
    return "\n".join("".join(_context_lines(context)) for context in definition.contexts)


class _Positioned(Refusal):
    """A refusal whose field is a position already."""


class _Expander:
    """Gives the lines of a text with those of the files it includes in their place."""

    def __init__(self, includes: Mapping[str, str]) -> None:
        self.includes = includes
        self.characters = 0
        self.count = 0

    def lines(self, source: str, text: str) -> Iterator[_Line]:
        self.characters += len(text)
        if self.characters > MAX_CHARACTERS:
            message = f"the definition has more than {MAX_CHARACTERS} characters"
            raise _Positioned(Code.TOO_LARGE, message, f"{source}1:1")
        for number, raw in enumerate(text.split("\n"), 1):
            line = _Line(source, number, _uncommented(raw))
            include = _INCLUDE.match(line.text)
            if include is None:
                yield line
            else:
                yield from self._included(line, include["name"].strip().strip('"'))

    def _included(self, line: _Line, name: str) -> Iterator[_Line]:
        self.count += 1
        if self.count > MAX_INCLUDES:
            raise _wrong(f"more than {MAX_INCLUDES} files are included", [line])
        text = self.includes.get(name)
        if text is None:
            raise _wrong(f"there is no file {name[:80]!r} to include", [line])
        yield from self.lines(f"{name}:", text)


def _statements(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    """Put together the lines of each statement; empty ones and comments vanish."""
    statement: list[_Line] = []
    for line in lines:
        if not line.text.strip():
            continue
        if statement and not _goes_on(statement[-1], line):
            yield statement
            statement = []
        statement.append(line)
    if statement:
        yield statement


def _goes_on(before: _Line, line: _Line) -> bool:
    if _START.match(line.text):
        return False
    return line.text[0] in " \t" or before.text.rstrip().endswith(",")


def _uncommented(raw: str) -> str:
    match = _CONTENT.match(raw)
    assert match is not None, "it matches nothing, too"
    return raw[: match.end()] if raw[match.end() : match.end() + 1] == "#" else raw


class _Reader:
    """Collects contexts from statements."""

    def __init__(self) -> None:
        self.contexts: dict[Path, ContextDefinition] = {}
        self.current: ContextDefinition | None = None
        self.names: set[tuple[Path, str, str]] = set()

    def read(self, lines: list[_Line]) -> None:
        try:
            statement = parse_statement("\n".join(line.text for line in lines))
        except MdefSyntaxError as fault:
            raise _wrong(fault.message, lines, fault.line, fault.column) from fault
        with _at(lines, statement.name):
            if statement.kind == "context":
                self._open(statement, lines)
            elif self.current is None:
                raise Refusal(
                    Code.BAD_FIELD, "this stands outside any context", None, "start with @@ and a context's path"
                )
            else:
                self._fill(self.current, (_component if statement.kind == "component" else _view)(statement, lines))

    def _open(self, statement: Statement, lines: list[_Line]) -> None:
        """Open a context, perhaps again: what is said of it later holds."""
        if statement.evidence:
            raise Refusal(Code.BAD_FIELD, "a context has no evidence")
        path = parse_path(statement.name.text)
        context = self.contexts.setdefault(path, ContextDefinition(path=list(path)))
        for pair in statement.pairs:
            with _at(lines, pair):
                if pair.key not in ("description", "resolver") or not isinstance(pair.value, str):
                    raise Refusal(Code.BAD_FIELD, f'a context takes description="…" and resolver="…", not {pair.key}')
                (check_text if pair.key == "description" else check_resolver)(pair.value, "")
                setattr(context, pair.key, pair.value)
        self.current = context

    def _fill(self, context: ContextDefinition, made: ComponentDefinition | ViewDefinition) -> None:
        check_below(context.path, "")
        kind = "component" if isinstance(made, ComponentDefinition) else "view"
        key = (tuple(context.path), kind, made.name)
        if key in self.names:
            raise Refusal(Code.BAD_FIELD, f"the context has a {kind} {made.name[:80]!r} already")
        self.names.add(key)
        if isinstance(made, ComponentDefinition):
            context.components.append(made)
        else:
            context.views.append(made)


def _component(statement: Statement, lines: list[_Line]) -> ComponentDefinition:
    members: dict[str, Any] = {"name": _single_name(statement.name)}
    places: dict[str, Pair] = {}
    for pair in statement.pairs:
        key = _COMPONENT_KEYS.get(pair.key, pair.key)
        with _at(lines, pair):
            _add_member(members, key, pair)
            if key == "rules":
                _check_rule(pair)
        places[key] = pair
    component = _convert(members, ComponentDefinition, places, lines, statement.name)
    component.evidence = [_evidence(pairs, component.value_type, lines, statement.name) for pairs in statement.evidence]
    check_component(component, "")
    return component


def _check_rule(pair: Pair) -> None:
    """Refuse a rule that has a mistake; its own lines and columns are those of the text between the quotes."""
    if not isinstance(pair.value, str):
        raise Refusal(Code.BAD_RULE, "a rule is a text", None, RULE_HINT)
    try:
        check_statement(pair.value, "rule")
    except Refusal as refusal:
        error = refusal.error
        _, _, at = (error.field or "").partition(":")
        where = f" (at {at} of the rule)" if at else ""
        raise Refusal(error.code, f"{error.message}{where}", None, error.hint or RULE_HINT) from refusal


def _add_member(members: dict[str, Any], key: str, pair: Pair) -> None:
    if key in ("name", "evidence") or pair.key in _COMPONENT_KEYS.values():
        raise Refusal(Code.BAD_FIELD, f"there is no {pair.key} here")
    if key not in _REPEATED and key in members:
        raise Refusal(Code.BAD_FIELD, f"{pair.key} is given twice")
    if key not in _REPEATED:
        members[key] = pair.value
    elif key == "goals":
        members.setdefault(key, []).extend(_goals(pair.value))
    else:
        members.setdefault(key, []).append(pair.value)


def _goals(value: Any) -> list[list[str]]:
    paths = value if isinstance(value, list) else [value]
    if not all(isinstance(path, str) for path in paths):
        raise Refusal(Code.BAD_FIELD, 'goals are paths: goals=["a/b", "c"]')
    return [list(parse_path(path)) for path in paths]


def _evidence(pairs: list[Pair], value_type: ValueType, lines: list[_Line], name: Word) -> NewEvidence:
    members: dict[str, Any] = {"extra": {}}
    for pair in pairs:
        with _at(lines, pair):
            check_json(pair.value, "", Code.BAD_FIELD)
            _add_evidence_member(members, pair, value_type)
    return _convert(members, NewEvidence, {pair.key: pair for pair in pairs}, lines, pairs[0] if pairs else name)


def _add_evidence_member(members: dict[str, Any], pair: Pair, value_type: ValueType) -> None:
    key, value = pair.key, pair.value
    if key == "value":
        members[key] = _typed(value, value_type)
    elif key in ("time", "useby"):
        members[key] = _typed(value, "number")
    elif key == "flags":
        members[key] = [value] if isinstance(value, str) else value
    elif key in NewEvidence.__struct_fields__ and not (key == "extra" and isinstance(value, dict)):
        members[key] = value
    elif key not in _STAMPED:
        extra = value if key == "extra" else {key: value}
        check_members(extra, "evidence")
        members["extra"].update(extra)


def _typed(value: Any, value_type: ValueType) -> Any:
    """Read a number or boolean that stands in quotes."""
    if not isinstance(value, str) or value_type not in ("number", "boolean"):
        return value
    try:
        return _BOOLEANS[value.lower()] if value_type == "boolean" else msgspec.json.decode(value, type=int | float)
    except (KeyError, msgspec.DecodeError, UnicodeEncodeError):
        raise Refusal(Code.BAD_FIELD, f"{value[:40]!r} is not a {value_type}") from None


def _view(statement: Statement, lines: list[_Line]) -> ViewDefinition:
    elements: list[str | list[str]] = []
    for word in statement.names:
        with _at(lines, word):
            elements.append(_element_of(word))
    view = ViewDefinition(name=_single_name(statement.name), components=elements)
    check_view(view, "")
    return view


def _element_of(word: Word) -> str | list[str]:
    if "/" not in word.text:
        return _single_name(word)
    path = parse_path(word.text)
    if not path:
        raise Refusal(Code.BAD_FIELD, "the root is not a component")
    return list(path)


def _single_name(word: Word) -> str:
    if "/" in word.text:
        raise Refusal(Code.BAD_FIELD, "a path is not allowed here", None, "write ~1 for a / in a name")
    path = parse_path(word.text)
    if not path:
        raise Refusal(Code.BAD_FIELD, "a name is missing")
    return path[0]


def _convert(
    members: dict[str, Any], kind: type[_Definition], places: Mapping[str, Pair], lines: list[_Line], start: Word | Pair
) -> _Definition:
    """Make the struct; what does not fit is refused at the pair that said it."""
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        key = _KEY.search(str(error))
        place = places.get(key[1] or key[2], start) if key else start
        message = str(error).partition(" - at ")[0]
        raise _wrong(message, lines, place.line, place.column) from error


@contextmanager
def _at(lines: list[_Line], place: Word | Pair) -> Iterator[None]:
    """Give refusals from inside the position of the place."""
    try:
        yield
    except _Positioned:
        raise
    except Refusal as refusal:
        error = refusal.error
        position = _position(lines, place.line, place.column)
        code = Code.BAD_RULE if error.code is Code.BAD_RULE else Code.BAD_FIELD
        raise _Positioned(code, error.message, position, error.hint) from refusal


def _wrong(message: str, lines: Sequence[_Line], line: int = 1, column: int = 1) -> Refusal:
    return _Positioned(Code.BAD_FIELD, message, _position(lines, line, column))


def _position(lines: Sequence[_Line], line: int, column: int) -> str:
    at = lines[line - 1]
    return f"{at.source}{at.number}:{column}"


def _context_lines(context: ContextDefinition) -> Iterator[str]:
    members = [f"{key}={_json(text)}" for key, text in _texts(context, ("description", "resolver"))]
    yield f"@@{_name(format_path(context.path) or '/')}{': ' if members else ''}{', '.join(members)}\n"
    for component in context.components:
        yield f"--{_name(format_path([component.name]))}: {_component_members(component)}\n"
    for view in context.views:
        yield f"=={_name(format_path([view.name]))}: {', '.join(_element(each) for each in view.components)}\n"


def _component_members(component: ComponentDefinition) -> str:
    members = [f'type="{component.component_type}", value_type="{component.value_type}"']
    members += [f"{key}={_json(text)}" for key, text in _texts(component, ("description", "resolver"))]
    members += [f"value={_json(text)}" for text in component.value_list]
    if component.goals:
        members.append(f"goals={_json([format_path(path) for path in component.goals])}")
    indented = [f"rule={_json(rule)}" for rule in component.rules]
    indented += [f"[{_evidence_members(evidence)}]" for evidence in component.evidence]
    return ",\n    ".join([", ".join(members), *indented])


def _evidence_members(evidence: NewEvidence) -> str:
    members = {"evidence_type": evidence.evidence_type, "value": evidence.value}
    for key in ("flags", "comment", "time", "useby", "extra"):
        member = getattr(evidence, key)
        if member is not None and member not in ([], {}):
            members[key] = member
    return ", ".join(f"{key}={_json(member)}" for key, member in members.items())


def _texts(definition: ContextDefinition | ComponentDefinition, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give what is said; an empty resolver differs from none."""
    for key in keys:
        text = getattr(definition, key)
        if text or (text is not None and key == "resolver"):
            yield key, text


def _element(element: str | list[str]) -> str:
    if isinstance(element, str):
        return _name(format_path([element]))
    return _name(("/" if len(element) == 1 else "") + format_path(element))


def _name(text: str) -> str:
    return text if _BARE.fullmatch(text) else _json(text)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
