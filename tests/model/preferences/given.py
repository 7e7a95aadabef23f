"""A small world of ontologies: spoken words as the hub, with shouts, nested words, numbers and blocks around it."""

from typing import Any

from hypothesis import strategies as st

from model.preferences.mappings import Copy, Linear, Mapping, Pack, Unpack, ValueTable
from model.preferences.ontologies import Ontologies

PREFIX = "http://terms.example/apps/"

WORDS = ("alpha", "beta", "gamma", "delta", "a.dotted word")


def escaped(word: str) -> str:
    return word.replace(".", "\\.")


SHOUTS = Mapping("shouts", "words", tuple(Copy(escaped(word.upper()), escaped(word)) for word in WORDS))
NESTED = Mapping(
    "nested",
    "words",
    (*(Copy(f"deep.{number % 2}.{escaped(word)}", escaped(word)) for number, word in enumerate(WORDS)),
     Unpack("applications", "", PREFIX)),
)  # fmt: skip
PACKED = Mapping("words", "packed", (Copy("alpha", "first.of.all"), Pack("", "blocks.all", PREFIX)))
FAR = Mapping("far", "shouts", (Copy("x", "ALPHA"), Copy("y", "BETA"), Copy("z", "not there")))
VALUES = Mapping(
    "values",
    "words",
    (ValueTable("mode", "delta", (("on", True), ("one", 1), ("nothing", None), ("list", [1]))),
     Linear("percent", "gamma", (0, 100), (0.0, 1.0), 0, 2)),
)  # fmt: skip
ISLAND = Mapping("island", "reef", (Copy("sand", "coral"),))

WORLD = Ontologies([SHOUTS, NESTED, PACKED, FAR, VALUES, ISLAND])

ONE_TO_ONE = ("words", "shouts", "nested", "packed", "far")
"""Ontologies whose settings have at most one counterpart, with the same value."""

PLACES: dict[str, list[tuple[str, ...]]] = {
    "words": [(word,) for word in WORDS],
    "shouts": [(word.upper(),) for word in WORDS],
    "nested": [("deep", str(number % 2), word) for number, word in enumerate(WORDS)],
    "packed": [("first", "of", "all")],
    "far": [("x",), ("y",)],
}

APPLICATIONS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "words": ((), PREFIX, ()),
    "nested": (("applications",), "", ("parameters",)),
    "packed": (("blocks", "all"), "", ("parameters",)),
}
"""Where an ontology has the settings of an application: below names, with a prefix, and inside."""

values = st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.text(max_size=3), st.lists(st.integers(0, 3)))
contents = st.one_of(values, st.dictionaries(st.sampled_from("abc"), values, min_size=1, max_size=3))
_names = st.text(max_size=3)
_identifiers = st.sampled_from(["org.example", "editor", "a}b\\c", ""])


def put(tree: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    """Write a value where it belongs."""
    for name in place[:-1]:
        tree = tree.setdefault(name, {})
    tree[place[-1]] = value


@st.composite
def trees(draw: st.DrawFn, ontology: str) -> dict[str, Any]:
    """Settings that the ontology's mappings know."""
    tree: dict[str, Any] = {}
    for place in draw(st.lists(st.sampled_from(PLACES[ontology]), unique=True)):
        put(tree, place, draw(contents))
    if ontology in APPLICATIONS:
        above, start, inside = APPLICATIONS[ontology]
        for identifier in draw(st.lists(_identifiers, unique=True, max_size=2)):
            put(tree, (*above, start + identifier, *inside), draw(contents))
    return tree


metadata = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["required", "provenance", "priority"])},
        optional={"scope": st.lists(st.sampled_from(["*", "alpha", "deep.*", "ALPHA", "a\\.b"]), max_size=3)},
    ),
    max_size=2,
)


@st.composite
def bodies(draw: st.DrawFn, ontology: str) -> dict[str, Any]:
    """A preference set in an ontology."""
    context = st.fixed_dictionaries(
        {"preferences": trees(ontology)},
        optional={"name": _names, "priority": st.integers(0, 9), "metadata": metadata, "note": st.lists(values)},
    )
    contexts = st.dictionaries(st.sampled_from(["gpii-default", "at night"]), context, max_size=2)
    return draw(st.fixed_dictionaries({"contexts": contexts}, optional={"name": _names, "metadata": metadata}))


_MEMBERS = [
    "contexts", "preferences", "metadata", "scope", "type", "name", "priority", "gpii-default", "words", "nested",
    "shouts", "values", "unknown", "alpha", "ALPHA", "deep", "0", "1", "applications", "parameters", "id", "delta",
    "mode", "percent", PREFIX + "editor", "", "x",
]  # fmt: skip
_TEXTS = ["*", "**", "a*", "deep.*", "alpha", "alpha.beta", "deep", "deep.0", "", ".", "\\", "applications", "priority"]

anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(_TEXTS)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4)),
    max_leaves=20,
)

_contexts = st.one_of(anything, st.dictionaries(st.sampled_from(["preferences", "metadata", "name", "note"]), anything))
odd_sets = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"contexts": st.one_of(anything, st.dictionaries(st.sampled_from(["gpii-default", "b"]), _contexts))},
        optional={"metadata": anything, "name": anything},
    ),
)
"""What validation never sees but a store may hold: something like preference sets, wrong at any place."""

odd_stores = st.one_of(anything, st.dictionaries(st.sampled_from([*WORLD.names, "unknown"]), odd_sets, max_size=4))
