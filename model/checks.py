"""What a value, a text, a piece of evidence, a definition may be. Each function returns nothing or raises a `Refusal`.

A refusal names the field as a path into the message: `evidence.value`, `definition.contexts[2].components[0].name`.
Values that lie outside JSON (NaN, infinities) are refused, as are integers outside -2**63 … 2**63-1: further out the
readers of JSON disagree on what the digits mean. Null is a value of JSON components only.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from model.rules.decide import check_rule
from schemas.definitions import ComponentDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence, ValueType
from schemas.limits import (
    MAX_DEFINITION_ITEMS,
    MAX_EXTRA_BYTES,
    MAX_JSON_DEPTH,
    MAX_PATH_SEGMENTS,
)
from schemas.paths import check_path, check_segment
from schemas.plain_checks import check_length, check_name, check_names, check_text, check_time, is_clean, unclean

_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**63 - 1


def check_evidence(evidence: NewEvidence, value_type: ValueType, value_list: Sequence[str], field: str) -> None:
    """Check new evidence for a component of the given value type."""
    _VALUE_CHECKS[value_type](evidence.value, value_list, field)
    if evidence.flags:
        check_names(evidence.flags, f"{field}.flags")
    if evidence.comment is not None:
        check_text(evidence.comment, f"{field}.comment")
    if evidence.time is not None:
        check_time(evidence.time, f"{field}.time")
    if evidence.useby is not None:
        check_time(evidence.useby, f"{field}.useby")
    if evidence.extra:
        check_json(evidence.extra, f"{field}.extra", Code.BAD_FIELD)


def check_json(value: Any, field: str, code: Code = Code.BAD_VALUE) -> None:
    """Check any JSON level by level, so that depth costs no recursion."""
    if _is_checked_scalar(value, field, code):
        return
    level, depth = [value], 0
    while level:
        containers = [node for node in level if not _is_checked_scalar(node, field, code)]
        if containers and depth == MAX_JSON_DEPTH:
            raise Refusal(Code.TOO_DEEP, f"the value is nested deeper than {MAX_JSON_DEPTH} levels", field)
        level = [member for container in containers for member in _members(container, field, code)]
        depth += 1


def check_extra(extra: dict[str, Any], field: str) -> None:
    """Check the further members of a context, a component or a view: `bad_field`, `too_deep`, `too_large`."""
    if not extra:
        return
    check_json(extra, field, Code.BAD_FIELD)
    size = len(msgspec.json.encode(extra))
    if size > MAX_EXTRA_BYTES:
        message = f"the further members take {size} bytes, at most {MAX_EXTRA_BYTES}"
        raise Refusal(Code.TOO_LARGE, message, field, "tell it to a component as evidence")


def check_component(component: ComponentDefinition, field: str) -> None:
    """Check a component's definition with its initial evidence."""
    check_segment(component.name, f"{field}.name")
    check_text(component.description, f"{field}.description")
    _check_value_list(component, f"{field}.value_list")
    check_resolver(component.resolver, f"{field}.resolver")
    check_goals(component.goals, f"{field}.goals")
    check_extra(component.extra, f"{field}.extra")
    _check_rules(component.rules, f"{field}.rules")
    check_count(len(component.evidence), f"{field}.evidence")
    for index, evidence in enumerate(component.evidence):
        check_evidence(evidence, component.value_type, component.value_list, f"{field}.evidence[{index}]")


def _check_rules(statements: Sequence[str], field: str) -> None:
    check_length(statements, field)
    for index, statement in enumerate(statements):
        check_statement(statement, f"{field}[{index}]")


def check_statement(statement: str, field: str) -> None:
    """Check that a rule parses: `bad_rule`, the field with line and column behind it."""
    check_text(statement, field)
    try:
        check_rule(statement)
    except Refusal as refusal:
        error = refusal.error
        at = (error.field or "").removeprefix("statement")
        raise Refusal(error.code, error.message, field + at, error.hint) from None


def check_goals(goals: Sequence[Sequence[str]], field: str) -> None:
    """Check paths of components; whether there is anything at a path is not looked at."""
    check_length(goals, field)
    for index, path in enumerate(goals):
        _check_component_path(path, f"{field}[{index}]")


def check_view(view: ViewDefinition, field: str) -> None:
    """Check a view's definition; its components need not be there yet."""
    check_segment(view.name, f"{field}.name")
    check_text(view.description, f"{field}.description")
    check_extra(view.extra, f"{field}.extra")
    check_length(view.components, f"{field}.components")
    for index, element in enumerate(view.components):
        if isinstance(element, str):
            check_segment(element, f"{field}.components[{index}]")
        else:
            _check_component_path(element, f"{field}.components[{index}]")


def check_resolver(resolver: str | None, field: str) -> None:
    """Check a resolver's name, not whether it is installed here: that may differ between workers."""
    if resolver is not None:
        check_name(resolver, field)


def check_below(path: Sequence[str], field: str) -> None:
    """Check that the path leaves room for one more segment."""
    if len(path) >= MAX_PATH_SEGMENTS:
        message = f"a path would have {len(path) + 1} segments, at most {MAX_PATH_SEGMENTS}"
        raise Refusal(Code.BAD_PATH, message, field)


def check_count(count: int, field: str) -> None:
    if count > MAX_DEFINITION_ITEMS:
        message = f"one command makes {count} things, at most {MAX_DEFINITION_ITEMS}"
        raise Refusal(Code.TOO_LARGE, message, field, "send it in parts")


def check_definition(definition: ModelDefinition, field: str) -> None:
    """Check a whole model's definition: every part, that nothing is there twice, and the number of things made."""
    check_count(_count_things(definition), field)
    check_unique((tuple(context.path) for context in definition.contexts), f"{field}.contexts", "path")
    for index, context in enumerate(definition.contexts):
        at = f"{field}.contexts[{index}]"
        check_path(context.path, f"{at}.path")
        check_text(context.description, f"{at}.description")
        check_resolver(context.resolver, f"{at}.resolver")
        _check_components(context.path, context.components, f"{at}.components")
        _check_views(context.path, context.views, f"{at}.views")


def _check_components(path: Sequence[str], components: Sequence[ComponentDefinition], field: str) -> None:
    for index, component in enumerate(components):
        check_component(component, f"{field}[{index}]")
        check_below(path, f"{field}[{index}].name")
    check_unique((component.name for component in components), field, "name")


def _check_views(path: Sequence[str], views: Sequence[ViewDefinition], field: str) -> None:
    for index, view in enumerate(views):
        check_view(view, f"{field}[{index}]")
        check_below(path, f"{field}[{index}].name")
    check_unique((view.name for view in views), field, "name")


def check_unique(keys: Iterable[Any], field: str, key: str) -> None:
    """Check that nothing is named twice."""
    seen: set[Any] = set()
    for index, name in enumerate(keys):
        if name in seen:
            raise Refusal(Code.ALREADY_EXISTS, "the definition names it twice", f"{field}[{index}].{key}")
        seen.add(name)


def _count_things(definition: ModelDefinition) -> int:
    """Count what would be made. Paths are cut off where they are too long to be accepted anyway."""
    paths: set[tuple[str, ...]] = set()
    inside = 0
    for context in definition.contexts:
        path = tuple(context.path[:MAX_PATH_SEGMENTS])
        while path and path not in paths:
            paths.add(path)
            path = path[:-1]
        inside += len(context.components) + len(context.views)
        inside += sum(len(component.evidence) for component in context.components)
        check_count(len(paths) + inside, "definition")
    return len(paths) + inside


def _check_component_path(path: Sequence[str], field: str) -> None:
    if not path:
        raise Refusal(Code.BAD_PATH, "the path of a component cannot be empty", field)
    check_path(tuple(path), field)


def _check_value_list(component: ComponentDefinition, field: str) -> None:
    if component.value_type == "enum" and not component.value_list:
        raise Refusal(Code.BAD_FIELD, "an enum needs its values", field, "list at least one")
    _check_texts(component.value_list, field)


def _check_texts(texts: Sequence[str], field: str) -> None:
    check_length(texts, field)
    for index, text in enumerate(texts):
        check_text(text, f"{field}[{index}]")


def _check_string(value: Any, _values: Sequence[str], field: str) -> None:
    if type(value) is not str:
        raise _wrong_type("a string", value, field)
    if not (value.isprintable() or is_clean(value)):
        raise unclean(Code.BAD_VALUE, f"{field}.value")


def _check_number(value: Any, _values: Sequence[str], field: str) -> None:
    if type(value) is not float and type(value) is not int:
        raise _wrong_type("a number", value, field)
    _check_finite(value, f"{field}.value", Code.BAD_VALUE)


def _check_boolean(value: Any, _values: Sequence[str], field: str) -> None:
    if type(value) is not bool:
        raise _wrong_type("true or false", value, field)


def _check_enum(value: Any, values: Sequence[str], field: str) -> None:
    if type(value) is not str or value not in values:
        message = "the value is not one of the component's"
        raise Refusal(Code.BAD_VALUE, message, f"{field}.value", f"one of {', '.join(values[:20])}")


def _check_json_value(value: Any, _values: Sequence[str], field: str) -> None:
    check_json(value, f"{field}.value")


_EXAMPLES: Final = {
    "a number": "such as 82 or 0.5, with nothing around it",
    "true or false": "send one of the two words",
}

_VALUE_CHECKS: Final[dict[ValueType, Callable[[Any, Sequence[str], str], None]]] = {
    "string": _check_string,
    "number": _check_number,
    "boolean": _check_boolean,
    "enum": _check_enum,
    "JSON": _check_json_value,
}


def _is_checked_scalar(node: Any, field: str, code: Code) -> bool:
    """Check a scalar; false for a list or dict, whose members come with the next level."""
    kind = type(node)
    if kind is list or kind is dict:
        return False
    if kind is str:
        if not is_clean(node):
            raise unclean(code, field)
    elif kind is int or kind is float:
        _check_finite(node, field, code)
    elif node is not None and kind is not bool:
        raise Refusal(code, f"a {kind.__name__} is not JSON", field)
    return True


def _members(container: Any, field: str, code: Code) -> Iterable[Any]:
    if type(container) is list:
        return container
    for key in container:
        if type(key) is not str or not is_clean(key):
            raise unclean(code, field)
    return list(container.values())


def _check_finite(number: float, field: str, code: Code) -> None:
    if type(number) is int:
        if not _MIN_INT <= number <= _MAX_INT:
            raise Refusal(code, "an integer lies outside -2**63 to 2**63-1", field, "send it as a string")
    elif not math.isfinite(number):
        raise Refusal(code, "a number is not finite", field)


def _wrong_type(expected: str, value: Any, field: str) -> Refusal:
    names = {str: "a string", int: "a number", float: "a number", bool: "a boolean", type(None): "null"}
    given = names.get(type(value), "a list or an object")
    hint = _EXAMPLES.get(expected)
    return Refusal(Code.BAD_VALUE, f"the component takes {expected}, not {given}", f"{field}.value", hint)
