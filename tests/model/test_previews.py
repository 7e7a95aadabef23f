"""A preview equals what then happens: over random models, for whatever is withdrawn or deleted."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from model.state import contexts_below
from schemas.commands import Correct, DeleteComponent, DeleteContext, SetResolver, Withdraw
from schemas.consequences import ChangedValue
from schemas.errors import Refusal
from schemas.paths import Path
from schemas.queries import Ask, Consequences
from tests.effort import EFFORT

from .given import START_US, Person

COMPONENTS = ["firstname", "age", "anything"]
APPS = st.sampled_from(["llum", "llum", "probe", "second"])
RESOLVERS = st.sampled_from(
    [None, "default", "goal", "recent", "count", "mean", "sum", "most_frequent", "time_in_state"]
)
USEBY = st.one_of(st.none(), st.integers(0, 60).map(lambda seconds: START_US / 1e6 + seconds))


def at(component: str) -> dict[str, Any]:
    return {"id": "c", "context": ["Personal"], "component": component}


steps = st.one_of(
    st.tuples(
        st.just("tell"), st.sampled_from(COMPONENTS), st.integers(0, 3), st.sampled_from([[], [], ["goal"]]), USEBY
    ),
    st.tuples(st.just("correct"), st.sampled_from(COMPONENTS), st.integers(0, 3)),
    st.tuples(st.just("withdraw"), st.sampled_from(COMPONENTS), st.integers(0, 30)),
    st.tuples(st.just("resolve"), st.sampled_from(COMPONENTS), RESOLVERS),
)
HISTORIES = st.lists(st.tuples(steps, APPS), max_size=25)


def lived(history: list[Any]) -> Person:
    """Make a model, and do to it whatever is accepted."""
    person = Person()
    person.register("probe", ask=True, tell=True, delete=True)
    person.register("second", ask=False, tell=True)
    person.permit("second", "Personal", ask=True, bind_resolver="count")
    for (what, component, *given_parts), app in history:
        try:
            _do(person, what, component, given_parts, app)
        except Refusal:
            continue
    return person


def _do(person: Person, what: str, component: str, parts: list[Any], app: str) -> None:
    if what == "withdraw":
        person.do(Withdraw(**at(component), seq=parts[0]), app)
    elif what == "resolve":
        person.do(SetResolver(**at(component), resolver=parts[0]), app)
    else:
        value = str(parts[0]) if component == "firstname" else parts[0]
        if what == "correct":
            person.do(Correct(**at(component), value=value), app)
        else:
            person.tell(component, value, app, flags=parts[1], useby=parts[2])


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
    components = person.live.context(("Personal",)).components
    numbers = {component.number: name for name, component in components.items()}
    rows = person.store.rows
    return [
        DeleteContext(id="c", context=["Personal"]),
        *(DeleteComponent(**at(name)) for name in components),
        *(Withdraw(**at(numbers[row.evidence.component_no]), seq=row.seq, n=row.evidence.n) for row in rows),
    ]


@settings(max_examples=60 * EFFORT)
@given(HISTORIES, st.integers(0, 10_000), APPS, st.integers(0, 70), st.booleans())
def test_a_preview_equals_what_then_happens(history: list[Any], which: int, app: str, at_s: int, reload: bool) -> None:
    """Each value, and each piece, at the same sequence and time; what is refused then is refused before."""
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
    before, marks = all_values(person, app, now), len(person.store.marks)
    assert preview.seq == person.live.seq
    person.do(command, app)
    assert in_order(preview.values) == in_order(what_happened(before, all_values(person, app, now)))
    marked = [(mark.withdrawn.seq, mark.withdrawn.n) for mark in person.store.marks[marks:]]
    assert [(piece.seq, piece.n) for piece in preview.pieces] == marked
