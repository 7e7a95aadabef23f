"""Random histories of log messages: valid commands, refused ones, repeats and rubbish, for a few users."""

import msgspec
from hypothesis import strategies as st

from bus.log import LogMessage
from schemas.commands import (
    Command,
    MakeComponent,
    MakeContext,
    MakeModel,
    MakeView,
    RegisterApp,
    SetPermission,
    Tell,
)
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.evidence import NewEvidence
from schemas.paths import Path

USERS = ["alice", "bob", "nobody"]
APPS = ["llum", "probe", "stranger"]
START_US = 1_790_000_000_000_000

names = st.sampled_from(["a", "b", "x:1", "http://terms/size", "..", ""])
contexts = st.sampled_from([[], ["a"], ["a", "b"], ["b"], ["missing"]])
values = st.one_of(
    st.integers(-3, 3), st.sampled_from(["red", "", "a\nb"]), st.booleans(), st.none(), st.just([1, {"k": 2}])
)
evidence = st.builds(
    NewEvidence,
    value=values,
    flags=st.sampled_from([[], ["goal"], ["seen", "goal"]]),
    comment=st.sampled_from([None, "said so"]),
    time=st.sampled_from([None, START_US / 1e6 - 50]),
    useby=st.sampled_from([None, START_US / 1e6 + 20, START_US / 1e6 + 10_000]),
    extra=st.sampled_from([{}, {"unit": "kg"}]),
)
components = st.builds(
    ComponentDefinition,
    name=names,
    value_type=st.sampled_from(["string", "number", "boolean", "JSON"]),
    resolver=st.sampled_from([None, "goal", "recent", "no such resolver"]),
    evidence=st.lists(evidence, max_size=2),
)
ids = st.integers(0, 40).map(str)
DEFINITION = ModelDefinition(
    contexts=[
        ContextDefinition(
            path=["a"],
            components=[
                ComponentDefinition(name="a", value_type="JSON"),
                ComponentDefinition(name="b", value_type="number"),
            ],
            views=[ViewDefinition(name="both", components=["a", "b", ["b", "a"]])],
        ),
        ContextDefinition(path=["b"], resolver="recent", components=[ComponentDefinition(name="a", value_type="JSON")]),
    ]
)

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Tell, id=ids, context=contexts, component=names, evidence=evidence),
    st.builds(Tell, id=ids, context=st.just(["a"]), component=st.just("a"), evidence=evidence),
    st.builds(Tell, id=ids, context=st.just(["b"]), component=st.just("a"), evidence=evidence),
    st.builds(MakeModel, id=ids, definition=st.just(DEFINITION)),
    st.builds(MakeContext, id=ids, context=contexts, name=names, exist_ok=st.booleans()),
    st.builds(MakeComponent, id=ids, context=contexts, component=components, exist_ok=st.booleans()),
    st.builds(
        MakeView,
        id=ids,
        context=contexts,
        view=st.builds(ViewDefinition, name=names, components=st.just(["a", ["a", "b"]])),
    ),
    st.builds(RegisterApp, id=ids, app=st.sampled_from(APPS), role=st.sampled_from(["owner", "app"])),
    st.builds(
        SetPermission,
        id=ids,
        app=st.sampled_from(APPS),
        context=contexts,
        ask=st.sampled_from([None, True, False]),
        tell=st.sampled_from([None, True, False]),
    ),
)

rubbish = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"{}", b'{"verb":"tell"}', b'{"verb":"tell","id":"7","v":99}', b"[" * 3000, b'{"verb":"fly","id":"1"}']
    ),
)


def message(seq: int, time_us: int, user: str, app: str, command: Command | bytes) -> LogMessage:
    """Make the log message of a command, as the reader would deliver it."""
    verb = "tell" if isinstance(command, bytes) else str(command.__struct_config__.tag)
    data = command if isinstance(command, bytes) else msgspec.json.encode(command)
    return LogMessage(seq, time_us, f"llum.log.3.{user}.{app}.{verb}", data, None)


ALL_CONTEXTS: list[Path] = [(), ("a",), ("a", "b"), ("b",), ("missing",)]
