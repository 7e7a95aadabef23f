"""Random definitions, evidence and commands: mostly acceptable, sometimes not."""

from typing import Any, get_args

from hypothesis import strategies as st

from schemas.commands import Command, MakeComponent, MakeContext, MakeView, RegisterApp, SetPermission, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.evidence import ComponentType, EvidenceType, NewEvidence, ValueType
from schemas.names import normal_name, unseen
from schemas.reserved import RESERVED_MEMBERS

from .given import CRON_RULE, RULE

_TEXT_ALPHABET = st.characters(exclude_categories=("Cs", "Cc"), include_characters='\t\n\r"\\#,:')
_NAME_ALPHABET = st.characters(
    exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters=' /~.#,:"-=@[]{}$', codec="utf-8"
)

texts = st.text(_TEXT_ALPHABET, max_size=20)
segments = st.one_of(
    st.sampled_from(["a", "b", "first name", "x.y", "http://terms.example/#size", "-x", "true", "caf\u00e9"]),
    st.text(_NAME_ALPHABET, min_size=1, max_size=12)
    .map(normal_name)
    .filter(lambda text: text not in (".", "..") and unseen(text) is None),
)
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
times = st.one_of(st.none(), st.floats(-1e9, 4e9))
resolvers = st.one_of(st.none(), st.sampled_from(["default", "goal", "recent", 'od"d']))


_unreserved = texts.filter(lambda name: name not in RESERVED_MEMBERS)


def values_of(value_type: ValueType, value_list: list[str]) -> st.SearchStrategy[Any]:
    """Values that fit."""
    kinds: dict[ValueType, st.SearchStrategy[Any]] = {
        "string": texts,
        "number": numbers,
        "boolean": st.booleans(),
        "JSON": json_values,
    }
    return st.sampled_from(value_list) if value_type == "enum" else kinds[value_type]


@st.composite
def new_evidence(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> NewEvidence:
    return NewEvidence(
        value=draw(values),
        evidence_type=draw(st.sampled_from(get_args(EvidenceType))),
        flags=draw(st.lists(st.sampled_from(["goal", "x", "a,b"]), max_size=2)),
        comment=draw(st.one_of(st.none(), texts)),
        time=draw(times),
        useby=draw(times),
        extra=draw(st.dictionaries(_unreserved, json_values, max_size=2)),
    )


statements = st.sampled_from([RULE, CRON_RULE, "'a' ~ 'b' : TELL 'a/b', explicit:'1'"])


@st.composite
def component_definitions(draw: st.DrawFn, name: str) -> ComponentDefinition:
    value_type: ValueType = draw(st.sampled_from(get_args(ValueType)))
    value_list = draw(st.lists(texts, min_size=1, max_size=3)) if value_type == "enum" else []
    return ComponentDefinition(
        name=name,
        description=draw(texts),
        component_type=draw(st.sampled_from(get_args(ComponentType))),
        value_type=value_type,
        value_list=value_list,
        resolver=draw(resolvers),
        goals=draw(st.lists(st.lists(segments, min_size=1, max_size=2), max_size=2)),
        evidence=draw(st.lists(new_evidence(values_of(value_type, value_list)), max_size=2)),
        rules=draw(st.lists(statements, max_size=2)),
    )


elements = st.one_of(segments, st.lists(segments, min_size=1, max_size=3))


@st.composite
def context_definitions(draw: st.DrawFn, path: list[str]) -> ContextDefinition:
    names = draw(st.lists(segments, max_size=3, unique=True))
    views = draw(st.lists(segments, max_size=2, unique=True))
    return ContextDefinition(
        path=path,
        description=draw(texts),
        resolver=draw(resolvers),
        components=[draw(component_definitions(name)) for name in names],
        views=[ViewDefinition(name=name, components=draw(st.lists(elements, max_size=3))) for name in views],
    )


@st.composite
def definitions(draw: st.DrawFn) -> ModelDefinition:
    paths = draw(st.lists(st.lists(segments, max_size=3), max_size=3, unique_by=tuple))
    return ModelDefinition(contexts=[draw(context_definitions(path)) for path in paths])


_PATHS = st.sampled_from(
    [[], ["Personal"], ["Personal"], ["Goals"], ["Goals"], ["Goals", "Health"], ["Nowhere"], ["Personal", ".."]]
)
_NAMES = st.sampled_from(["firstname", "age", "active", "mood", "anything", "new", "other", "more", "bad\0"])
_APPS = st.sampled_from(["llum", "probe", "probe", "second", "second", "Bad App"])
_FITTING = st.sampled_from(
    [("firstname", "Al"), ("firstname", "Bo"), ("age", 1), ("age", 2.5), ("active", True), ("mood", "bad"),
     ("anything", {"a": [None]})]
)  # fmt: skip
_USEBY = st.one_of(st.none(), st.floats(1.7e9, 1.7e9 + 60))
_VALUES = st.one_of(json_values, st.sampled_from(["good", 1, True, "\0", float("nan"), 2**70]))
_FLAGS = st.lists(st.sampled_from(["goal", "x", "\0"]), max_size=2)


@st.composite
def fitting_tells(draw: st.DrawFn) -> Command:
    """A tell to the model of `given.Person` that is accepted from an owner app."""
    component, value = draw(_FITTING)
    evidence = NewEvidence(value=value, flags=draw(st.sampled_from([[], ["goal"], ["x"]])), useby=draw(_USEBY))
    return Tell(id="t", context=["Personal"], component=component, evidence=evidence)


@st.composite
def any_commands(draw: st.DrawFn) -> Command:
    """A command to that model, of whatever kind; most are refused."""
    path, name, app = draw(_PATHS), draw(_NAMES), draw(_APPS)
    evidence = st.builds(NewEvidence, value=_VALUES, flags=_FLAGS, useby=_USEBY)
    exist_ok, convert = draw(st.booleans()), draw(st.booleans())
    part = ComponentDefinition(
        name=name, value_type=draw(st.sampled_from(get_args(ValueType))), evidence=draw(st.lists(evidence, max_size=2))
    )
    yes = st.one_of(st.none(), st.booleans())
    names = st.one_of(st.none(), st.lists(st.sampled_from(["default", "goal"]), max_size=2))
    made: list[Command] = [
        Tell(id="t", context=path, component=name, evidence=draw(evidence), convert=convert),
        MakeContext(id="c", context=path, name=name, description=draw(texts), exist_ok=exist_ok),
        MakeComponent(id="p", context=path, component=part, exist_ok=exist_ok, convert=convert),
        MakeView(id="v", context=path, view=ViewDefinition(name=name, components=draw(st.lists(elements, max_size=2)))),
        RegisterApp(id="r", app=app, description=draw(texts), role=draw(st.sampled_from(["owner", "app"]))),
        SetPermission(id="s", app=app, context=path, ask=draw(yes), tell=draw(yes), resolvers=draw(names)),
    ]
    return made[draw(st.sampled_from([0, 1, 2, 3, 4, 5, 5]))]


def commands() -> st.SearchStrategy[Command]:
    """Commands of which about half are refused."""
    return st.one_of(fitting_tells(), any_commands())
