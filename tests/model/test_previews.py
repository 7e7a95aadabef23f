"""A preview equals what then happens: over random models, for whatever is withdrawn or deleted."""

from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from model.changes import Change, MarkWithdrawn, WithdrawElsewhere, WithdrawFurther
from model.commands.causes import MAX_TOGETHER, what_follows
from model.state import contexts_below
from schemas.apps import RULES_APP
from schemas.causes import Cause
from schemas.commands import (
    Correct,
    DeleteComponent,
    DeleteContext,
    Derive,
    MakeRule,
    NoteSent,
    SetResolver,
    Withdraw,
    WithdrawFollowing,
)
from schemas.consequences import ChangedValue
from schemas.errors import Refusal
from schemas.evidence import NewEvidence
from schemas.paths import Path
from schemas.queries import Ask, Consequences
from tests.effort import EFFORT

from .given import START_US, Person

COMPONENTS = ["firstname", "age", "anything"]
APPS = st.sampled_from(["llum", "llum", "probe", "second"])
RESOLVERS = st.sampled_from(
    [None, "default", "goal", "recent", "count", "mean", "sum", "most_frequent", "time_in_state"]
)
TIMES = st.one_of(st.none(), st.integers(0, 60).map(lambda seconds: START_US / 1e6 + seconds))
USEBY = st.one_of(st.none(), st.integers(0, 60).map(lambda seconds: START_US / 1e6 + seconds))


def at(component: str) -> dict[str, Any]:
    return {"id": "c", "context": ["Personal"], "component": component}


NEVER = "'a' ~ 'b' : TELL './Personal/age', explicit:1"
"""A rule; what it does is said here."""

steps = st.one_of(
    st.tuples(
        st.just("tell"),
        st.sampled_from(COMPONENTS),
        st.integers(0, 3),
        st.sampled_from([[], [], ["goal"]]),
        USEBY,
        TIMES,
    ),
    st.tuples(st.just("follow"), st.sampled_from(COMPONENTS), st.integers(0, 3), st.integers(0, 30)),
    st.tuples(st.just("follow"), st.sampled_from(COMPONENTS), st.integers(0, 3), st.integers(0, 30)),
    st.tuples(st.just("send"), st.just("age"), st.sampled_from([None, "bob"]), st.integers(0, 30)),
    st.tuples(st.just("correct"), st.sampled_from(COMPONENTS), st.integers(0, 3)),
    st.tuples(st.just("withdraw"), st.sampled_from(COMPONENTS), st.integers(0, 30)),
    st.tuples(st.just("resolve"), st.sampled_from(COMPONENTS), RESOLVERS),
)
HISTORIES = st.lists(st.tuples(steps, APPS), max_size=25)


def lived(history: list[Any]) -> Person:
    """Make a model with rules, and do to it whatever is accepted."""
    person = Person()
    person.register("probe", ask=True, tell=True, delete=True)
    person.register("second", ask=False, tell=True)
    person.permit("second", "Personal", ask=True, bind_resolver="count")
    for name in COMPONENTS:
        person.do(MakeRule(**at(name), statement=NEVER))
    for (what, component, *given_parts), app in history:
        try:
            _do(person, what, component, given_parts, app)
        except Refusal:
            continue
    return person


def _do(person: Person, what: str, component: str, parts: list[Any], app: str) -> None:
    if what == "withdraw":
        go(person, Withdraw(**at(component), seq=parts[0]), app)
    elif what == "resolve":
        person.do(SetResolver(**at(component), resolver=parts[0]), app)
    elif what == "send":
        sent = NoteSent(id="n", cause=_cause(person, parts[1]), app=app, person=parts[0], path=["Here"])
        person.do(sent, RULES_APP)
    else:
        value = str(parts[0]) if component == "firstname" else parts[0]
        if what == "correct":
            person.do(Correct(**at(component), value=value), app)
        elif what == "follow":
            cause = _cause(person, parts[1])
            person.do(Derive(**at(component), evidence=NewEvidence(value=value), cause=cause), app)
        else:
            person.tell(component, value, app, flags=parts[1], useby=parts[2], time=parts[3])


def _cause(person: Person, which: int) -> Cause:
    """Give the cause of what a rule tells that some piece has fired; there may be no such piece."""
    names = {number: path for path, number in numbers(person).items()}
    rows = person.store.rows
    row = rows[which % len(rows)] if rows else None
    if row is None or row.evidence.component_no not in names:
        return Cause(rule="7", root="alice.1", depth=1, seq=1, path=["Personal", "age"])
    path = list(names[row.evidence.component_no])
    return Cause(rule="7", root=f"alice.{row.seq}", depth=1, seq=row.seq, n=row.evidence.n, path=path)


def numbers(person: Person) -> dict[Path, int]:
    return {
        (*path, name): component.number
        for path, context in contexts_below((), person.live.root)
        for name, component in context.components.items()
    }


def go(person: Person, command: Any, app: str) -> list[Change]:
    """Do what takes something out, and all that llum itself does because of it; give the changes."""
    changes = list(person.do(command, app).changes)
    further = [one for one in changes if isinstance(one, WithdrawFurther)]
    while further:
        one = further.pop(0)
        more = person.do(WithdrawFollowing(id="f", origins=list(one.origins), by=one.by), RULES_APP).changes
        changes += more
        further += [one for one in more if isinstance(one, WithdrawFurther)]
    return changes


def all_values(person: Person, app: str, now: float) -> dict[Path, Any]:
    """Ask for every component that there is, or was; what cannot be had has an error."""
    values: dict[Path, Any] = {}
    paths = [path for path, _ in contexts_below((), person.live.root)]
    for path in paths:
        try:
            reply = person.ask(Ask(context=list(path)), app, now)
        except Refusal:
            continue
        values |= {tuple(one.path): one.value for one in reply.components}
        values |= {tuple(one.path): one.error for one in reply.failures}
    return values


def what_happened(before: dict[Path, Any], after: dict[Path, Any]) -> list[ChangedValue]:
    """Say what a preview should have said, as plainly as can be."""
    return [
        ChangedValue(path=list(path), before=was, after=after.get(path), goes=path not in after)
        for path, was in before.items()
        if path not in after or repr(after[path]) != repr(was)
    ]


def in_order(values: list[ChangedValue]) -> list[ChangedValue]:
    return sorted(values, key=lambda one: one.path)


def may_be_done(person: Person) -> list[Any]:
    """List commands that take something out: some of them are refused, of what is withdrawn or another app's."""
    names = {number: path[-1] for path, number in numbers(person).items() if path[0] == "Personal"}
    pieces = [(names[row.evidence.component_no], row.seq, row.evidence.n) for row in person.store.rows]
    return [
        DeleteContext(id="c", context=["Personal"]),
        *(DeleteComponent(**at(name)) for name in names.values()),
        *(Withdraw(**at(name), seq=seq, n=n) for name, seq, n in pieces),
    ]


@settings(max_examples=100 * EFFORT)
@given(
    HISTORIES, st.integers(0, 10_000), APPS, st.integers(0, 70), st.booleans(), st.sampled_from([1, 2, MAX_TOGETHER])
)
def test_a_preview_equals_what_then_happens(
    history: list[Any], which: int, app: str, at_s: int, reload: bool, together: int
) -> None:
    """Each value, and each piece, at the same sequence and time; what is refused then is refused before."""
    with patch.object(what_follows, "__defaults__", (together,)):
        person = lived(history)
        if reload:
            person.reload()
        commands = may_be_done(person)
        command, now = commands[which % len(commands)], START_US / 1e6 + at_s
        try:
            preview = person.answered(Consequences(command=command), app, now)
        except Refusal as refusal:
            error = person.refuses(command, app)
            assert refusal.error == error  # noqa: PT017 - both are expected to be refused, or neither
            return
        is_owner = app == "llum"
        stored = {(row.seq, row.evidence.n): row.evidence.evidence for row in person.store.rows}
        before = all_values(person, app, now)
        assert preview.seq == person.live.seq
        changes = go(person, command, app)
        assert in_order(preview.values) == in_order(what_happened(before, all_values(person, app, now)))
        gone = [(one.seq, one.n) for one in changes if isinstance(one, MarkWithdrawn)]
        assert [(one.seq, one.n) for one in preview.pieces] == [
            piece for piece in gone if is_owner or stored[piece].source == app
        ]
        told = [cause.sent for one in changes if isinstance(one, WithdrawElsewhere) for cause in one.causes]
        assert [(one.app, one.person, one.time) for one in preview.elsewhere] == [
            (one.app, one.person, one.time) for one in told if is_owner or one.app == app
        ]
        assert preview.cut is None
