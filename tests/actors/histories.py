"""Random histories of log messages: valid commands, refused ones, repeats and rubbish, for a few users."""

import msgspec
from hypothesis import strategies as st

from bus.log import LogMessage
from model.state import NUMBERS_PER_COMMAND
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.causes import Cause, CauseRange
from schemas.commands import (
    ActivateRule,
    Command,
    Correct,
    DeleteApp,
    DeleteComponent,
    DeleteContext,
    DeleteRule,
    DeleteView,
    Derive,
    Fire,
    Forget,
    Import,
    MakeComponent,
    MakeContext,
    MakeModel,
    MakeRule,
    MakeView,
    NoteSent,
    RegisterApp,
    SetGoals,
    SetPermission,
    SetQuota,
    SetResolver,
    SetTimeZone,
    Tell,
    Withdraw,
    WithdrawFollowing,
)
from schemas.definitions import (
    ComponentDefinition,
    ContextDefinition,
    ImportedComponent,
    ImportedContext,
    ModelDefinition,
    ViewDefinition,
)
from schemas.evidence import ImportedEvidence, NewEvidence, Withdrawal
from schemas.grants import Consent
from schemas.paths import Path
from schemas.slices import ACTIONS, Slice
from schemas.verbs import verb_of

USERS = ["alice", "bob", "nobody"]
SENDERS = ["alice", "alice", "alice", "bob", "nobody"]
"""Whose commands there are, most often alice's."""

APPS = ["llum", "probe", "stranger"]
RULES = [
    "<./a/a> ~ '.*' : TELL 'a/b', explicit:'1'",
    "'a' ~ 'a' : NOTIFY 'https://example.org/'",
    "[\"0 7 * * *\"] 'a' ~ 'a' : NOTIFY 'https://example.org/'",
    "[\"MISSED=once TZ=Asia/Tokyo 0 9 * * *\"] 'a' ~ 'a' : TELL 'a/b', explicit:'1'",
    "no rule",
]
START_US = 1_790_000_000_000_000

# Most of what is named is there, so that most commands do something.
names = st.sampled_from(["a", "a", "a", "b", "b", "x:1", "http://terms/size", "..", ""])
contexts = st.sampled_from([["a"], ["a"], ["a"], ["b"], ["b"], [], ["a", "b"], ["missing"]])
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
    evidence_type=st.sampled_from(["explicit", "explicit", "inferred"]),
    extra=st.sampled_from([{}, {"unit": "kg"}]),
)
resolvers = st.sampled_from([None, "goal", "recent", "count", "most_frequent", "no such resolver"])
components = st.builds(
    ComponentDefinition,
    name=names,
    value_type=st.sampled_from(["string", "number", "boolean", "JSON"]),
    resolver=resolvers,
    evidence=st.lists(evidence, max_size=2),
    rules=st.lists(st.sampled_from(RULES[:3]), max_size=1),
)
imported_evidence = st.builds(
    ImportedEvidence,
    value=values,
    source=st.just("elsewhere"),
    owner=st.just("carol"),
    creation_time=st.sampled_from([START_US / 1e6 - 1000, START_US / 1e6 + 30, 9e9]),
    flags=st.sampled_from([[], ["goal"]]),
    correction=st.sampled_from([False, False, True]),
    withdrawn=st.sampled_from([None, None, Withdrawal(by="carol", time=5.0, comment="oops")]),
)
imported = st.builds(
    ImportedContext,
    path=st.sampled_from([[], ["b"], ["new", "below"]]),
    resolver=st.sampled_from([None, "recent"]),
    components=st.lists(
        st.builds(
            ImportedComponent,
            definition=st.builds(ComponentDefinition, name=st.sampled_from(["a", "b"]), value_type=st.just("JSON")),
            evidence=st.lists(imported_evidence, max_size=3),
        ),
        max_size=1,
    ),
)
causes = st.builds(
    Cause,
    rule=st.just("5"),
    root=st.sampled_from(["alice.1", "alice.2", "cron.1"]),
    depth=st.sampled_from([1, 64, 65]),
    person=st.sampled_from([None, "alice", "bob"]),
    seq=st.one_of(st.none(), st.integers(1, 60)),
    path=st.sampled_from([["a", "a"], ["a", "b"], ["b", "a"], []]),
)
ranges = st.builds(
    CauseRange,
    component_no=st.sampled_from([NUMBERS_PER_COMMAND, NUMBERS_PER_COMMAND + 1, NUMBERS_PER_COMMAND + 2]),
    seq=st.one_of(st.none(), st.integers(1, 60)),
    after=st.sampled_from([None, (3, 0, 9, 0)]),
)
tokens = st.one_of(st.integers(1, 60).map(str), st.sampled_from(["1-0-0", "1-0-1"]))
ids = st.integers(0, 300).map(str)
DEFINITION = ModelDefinition(
    contexts=[
        ContextDefinition(
            path=["a"],
            components=[
                ComponentDefinition(name="a", value_type="JSON", rules=[RULES[0], RULES[2]]),
                ComponentDefinition(name="b", value_type="number", evidence=[NewEvidence(value=1)]),
            ],
            views=[ViewDefinition(name="both", components=["a", "b", ["b", "a"]])],
        ),
        ContextDefinition(path=["b"], resolver="recent", components=[ComponentDefinition(name="a", value_type="JSON")]),
    ]
)

tells: st.SearchStrategy[Command] = st.one_of(
    st.builds(Tell, id=ids, context=contexts, component=names, evidence=evidence),
    st.builds(Tell, id=ids, context=st.just(["a"]), component=st.just("a"), evidence=evidence),
    st.builds(Tell, id=ids, context=st.just(["b"]), component=st.just("a"), evidence=evidence),
    st.builds(Derive, id=ids, context=st.just(["a"]), component=st.just("a"), evidence=evidence, cause=causes),
)

structure: st.SearchStrategy[Command] = st.one_of(
    st.builds(MakeModel, id=ids, definition=st.just(DEFINITION)),
    st.builds(MakeContext, id=ids, context=contexts, name=names, exist_ok=st.booleans()),
    st.builds(MakeComponent, id=ids, context=contexts, component=components, exist_ok=st.booleans()),
    st.builds(
        MakeView,
        id=ids,
        context=contexts,
        view=st.builds(ViewDefinition, name=names, components=st.just(["a", ["a", "b"]])),
    ),
    st.builds(DeleteContext, id=ids, context=st.sampled_from([["b"], ["a", "b"], ["a"], [], ["missing"]])),
    st.builds(DeleteComponent, id=ids, context=contexts, component=st.sampled_from(["b", "x:1", "a"])),
    st.builds(DeleteView, id=ids, context=contexts, view=names),
    st.builds(SetResolver, id=ids, context=contexts, component=st.one_of(st.none(), names), resolver=resolvers),
    st.builds(SetGoals, id=ids, context=contexts, component=names, goals=st.sampled_from([[], [["a", "b"]]])),
    st.builds(SetTimeZone, id=ids, time_zone=st.sampled_from([None, "Europe/Amsterdam", "Asia/Tokyo", "../x"])),
    st.builds(Import, id=ids, context=contexts, contexts=st.lists(imported, max_size=2)),
)

moments = st.sampled_from([None, None, START_US / 1e6 + 2, START_US / 1e6 + 40])
slices = st.builds(
    Slice,
    paths=st.lists(st.sampled_from(["", "a", "a", "b", "missing"]), max_size=2),
    components=st.lists(st.sampled_from(["a/a", "a/b", "b/x"]), max_size=1),
    actions=st.lists(st.sampled_from(ACTIONS), max_size=4),
    denied=st.lists(st.sampled_from(ACTIONS), max_size=1),
    datatypes=st.sampled_from([[], [], ["explicit"]]),
    since=moments,
    expires=moments,
    whose_rules=st.sampled_from([None, None, None, "bob"]),
)
few = st.sampled_from([None, 0, 2])
rights: st.SearchStrategy[Command] = st.one_of(
    st.builds(RegisterApp, id=ids, app=st.sampled_from(APPS), role=st.sampled_from(["owner", "app"])),
    st.builds(DeleteApp, id=ids, app=st.sampled_from(APPS)),
    st.builds(
        Consent,
        id=ids,
        app=st.sampled_from([*APPS, "new"]),
        decision=st.sampled_from(["allowed", "allowed", "changed", "refused", "revoked"]),
        granted=st.lists(slices, max_size=2),
        role=st.sampled_from(["app", "app", "owner"]),
        purpose=st.sampled_from(["", "to count"]),
    ),
    st.builds(SetQuota, id=ids, app=st.sampled_from(APPS), things=few, rules=few, schedules=few),
    st.builds(
        SetPermission,
        id=ids,
        app=st.sampled_from(APPS),
        context=contexts,
        component=st.sampled_from([None, None, "a", "b"]),
        ask=st.sampled_from([None, True, False]),
        tell=st.sampled_from([None, True, False]),
        make=st.sampled_from([None, None, True, False]),
        delete=st.sampled_from([None, None, True, False]),
        rules=st.sampled_from([None, None, True, False]),
        notify=st.sampled_from([None, True, False]),
        whose_rules=st.sampled_from([None, None, None, "bob"]),
        resolvers=st.sampled_from([None, [], ["recent"]]),
        filters=st.sampled_from([None, [], ["last10"]]),
        bind_resolver=st.sampled_from([None, None, "", "count"]),
        bind_view=st.sampled_from([None, None, "", "both"]),
        types=st.sampled_from([None, None, [], ["inferred"]]),
        past=st.sampled_from([None, 0.0, 1e9]),
        since=st.sampled_from([None, None, 0, START_US / 1e6 + 2]),
        expires=st.sampled_from([None, 0, START_US / 1e6 + 40]),
    ),
)

afterthoughts: st.SearchStrategy[Command] = st.one_of(
    st.builds(Correct, id=ids, context=contexts, component=names, value=values),
    st.builds(Withdraw, id=ids, context=contexts, component=names, seq=st.integers(-1, 60), n=st.integers(-1, 2)),
    st.builds(MakeRule, id=ids, context=contexts, component=names, statement=st.sampled_from(RULES)),
    st.builds(
        MakeRule,
        id=ids,
        context=contexts,
        component=names,
        statement=st.sampled_from(RULES),
        app=st.sampled_from(APPS),
    ),
    st.builds(ActivateRule, id=ids, context=contexts, component=names, token=tokens),
    st.builds(DeleteRule, id=ids, context=contexts, component=names, token=tokens),
)

commands: st.SearchStrategy[Command] = st.one_of(tells, tells, structure, rights, afterthoughts, afterthoughts)
forgets = st.builds(Forget, id=ids)
instants = st.sampled_from([0, START_US // 1_000_000 - 100, START_US // 1_000_000, START_US // 1_000_000 + 100])
fires = st.builds(Fire, id=ids, context=st.just(["a"]), component=st.just("a"), token=tokens, at=instants)

withdrawals_of_llum: st.SearchStrategy[Command] = st.one_of(
    st.builds(WithdrawFollowing, id=ids, origins=st.lists(ranges, max_size=3), by=st.just("llum")),
    st.builds(NoteSent, id=ids, cause=causes, app=st.just("llum"), person=st.just("bob"), path=st.just(["a", "a"])),
    st.builds(NoteSent, id=ids, cause=causes, app=st.just("llum"), url=st.just("https://hooks.example")),
)

rubbish = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"{}", b'{"verb":"tell"}', b'{"verb":"tell","id":"7","v":99}', b"[" * 3000, b'{"verb":"fly","id":"1"}']
    ),
)


def message(seq: int, time_us: int, user: str, app: str, command: Command | bytes) -> LogMessage:
    """Make the log message of a command, as the reader would deliver it. The admin app sends what it must."""
    if isinstance(command, MakeModel | SetQuota) and app == OWNER_APP:
        app = ADMIN_APP
    verb = "tell" if isinstance(command, bytes) else verb_of(command)
    data = command if isinstance(command, bytes) else msgspec.json.encode(command)
    return LogMessage(seq, time_us, 3, f"llum.log.3.{user}.{app}.{verb}", data, None)


ALL_CONTEXTS: list[Path] = [(), ("a",), ("a", "b"), ("b",), ("new", "below"), ("missing",)]
