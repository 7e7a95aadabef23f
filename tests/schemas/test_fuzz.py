"""What strangers write is taken or refused; nothing else ever happens, and it takes time in proportion.

The parsers of rules and of model definitions are fuzzed with their own tests (`tests/model`).
"""

import contextlib

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from model.evidence import selection_of
from model.formats.parcels import import_commands
from model.formats.personis import Exporter, pieces_of, read_exported
from schemas.codec import command_id, decode_command, decode_query
from schemas.commands import COMMAND_VERBS
from schemas.errors import Refusal
from schemas.evidence import EvidenceFilter
from schemas.paths import format_path, parse_path
from schemas.queries import QUERY_VERBS

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
members = st.dictionaries(
    st.sampled_from(["id", "v", "verb", "context", "component", "evidence", "definition", "contexts", "view", "after"]),
    json_values,
)


@given(st.text(max_size=400))
@example("/".join("a" * 300))
@example("~1~0/~2//")
def test_a_path_is_read_or_refused(text: str) -> None:
    """And what is read is written back as a path that reads the same."""
    with contextlib.suppress(Refusal):
        path = parse_path(text)
        assert parse_path(format_path(path)) == path


@given(st.binary(max_size=200) | members.map(msgspec.json.encode), st.sampled_from(sorted(COMMAND_VERBS)))
@example(b"[" * 100_000, "tell")
@example(b'{"verb":"import","id":"1","context":[],"contexts":' + b"[" * 5000 + b"]" * 5000 + b"}", "import")
def test_a_command_is_decoded_or_refused(data: bytes, verb: str) -> None:
    """Imports and initial evidence among them."""
    with contextlib.suppress(Refusal):
        decode_command(data, verb)
    command_id(data)


@given(st.binary(max_size=200) | members.map(msgspec.json.encode), st.sampled_from(sorted(QUERY_VERBS)))
def test_a_query_is_decoded_or_refused(data: bytes, verb: str) -> None:
    """Whatever it holds."""
    with contextlib.suppress(Refusal):
        decode_query(data, verb)


exported = st.recursive(
    st.fixed_dictionaries({"contextinfo": members, "components": members | st.none(), "views": json_values}),
    lambda inner: st.fixed_dictionaries(
        {"contextinfo": members, "contexts": st.dictionaries(st.text(max_size=5), inner)}
    ),
    max_leaves=5,
)


@given(st.binary(max_size=200) | (exported | json_values).map(msgspec.json.encode))
@example(b'{"contextinfo":{},"contexts":{"a":' * 5000 + b"{}" + b"}}" * 5000)
@example(b'{"contextinfo":{},"contexts":{"a":' * 200 + b'{"contextinfo":{}}' + b"}}" * 200)
def test_an_exported_model_is_packed_or_refused(text: bytes) -> None:
    """The original's JSON, and what looks like it."""
    with contextlib.suppress(Refusal):
        list(import_commands(pieces_of(read_exported(text), Exporter("alice", "probe")), []))


@given(
    st.sampled_from(["all", "last1", "last10", "goal", "since_time", "recent_count"]),
    st.none() | st.floats() | st.integers(),
    st.none() | st.integers() | st.floats(),
)
def test_a_filter_is_taken_or_refused(name: str, since_time: float | None, recent_count: int | None) -> None:
    """With any arguments, right or wrong."""
    with contextlib.suppress(Refusal):
        selection_of(EvidenceFilter(name=name, since_time=since_time, recent_count=recent_count))  # type: ignore[arg-type]
