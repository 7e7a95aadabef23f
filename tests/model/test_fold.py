"""Deciding and evolving: a model is what its stored changes make of it, and nothing else writes it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import model.changes
from model.caches import Caches
from model.changes import CountCause, KeepHeldOrder
from model.commands import decide
from model.fold import evolve, restore
from model.latest import Latest
from model.packing import pack, unpack
from model.stamp import stamp_after
from model.state import Model, contexts_below
from schemas.commands import Command, Import, MakeModel, SetPermission, Tell, Withdraw
from schemas.errors import Refusal
from schemas.evidence import Evidence, NewEvidence
from tests.actors import histories
from tests.driving import run

from .given import START_US, STEP_US, Person, picture

LAW = settings(max_examples=80, deadline=None)


def sent(commands: st.SearchStrategy[Command], *apps: str) -> st.SearchStrategy[tuple[Command, str, int]]:
    """A command, the app that sends it, and the seconds since the one before."""
    return st.tuples(commands, st.sampled_from(apps), st.integers(-2, 3))


PLACES = st.sampled_from([(["a"], "b"), (["b"], "a"), (["b"], "a")])


@st.composite
def withdrawals(draw: st.DrawFn) -> Command:
    context, component = draw(PLACES)
    return Withdraw(id="w", context=context, component=component, seq=draw(st.integers(1, 12)))


@st.composite
def tells(draw: st.DrawFn) -> Command:
    context, component = draw(PLACES)
    evidence = NewEvidence(value=draw(st.integers(0, 9)), flags=draw(st.sampled_from([[], ["goal"]])))
    return Tell(id="t", context=context, component=component, evidence=evidence)


permissions: st.SearchStrategy[Command] = st.builds(
    SetPermission,
    id=st.just("p"),
    app=st.just("probe"),
    context=st.sampled_from([[], ["b"]]),
    tell=st.booleans(),
)
HISTORIES = st.lists(
    st.one_of(
        sent(tells(), "llum", "probe", "probe"),
        sent(withdrawals(), "llum", "llum", "probe"),
        sent(permissions, "llum"),
        sent(histories.commands, "llum", "llum", "llum", "probe", "stranger"),
        sent(histories.fires, "_cron"),
    ),
    min_size=5,
    max_size=40,
)
"""What meets one another often, among all that there is."""


def alice() -> Person:
    person = Person(histories.DEFINITION)
    person.register("probe", ask=True, tell=True)
    return person


def do(person: Person, one: tuple[Command, str, int]) -> None:
    """Have a command applied, or refused."""
    command, app, seconds = one
    try:
        person.do(command, app, START_US if person.model is None else person.model.time_us + seconds * STEP_US)
    except Refusal:
        return


def unpacked(live: Model) -> Model:
    """Make the model anew from its structure as bytes."""
    packed = pack(live)
    assert packed is not None
    return unpack("alice", packed, live.seq, live.time_us, live.causes)


@LAW
@given(HISTORIES)
def test_a_fold_over_what_is_stored_gives_the_live_model(history: list[Any]) -> None:
    """Equal in every part and in the order of what has an order, after each command; and so is every past model."""
    person = alice()
    pasts: list[tuple[int, int, Any]] = []
    for one in history:
        do(person, one)
        live = person.live
        assert picture(person.store.load("alice", live.seq, live.time_us)) == picture(live)
        assert picture(unpacked(live)) == picture(live)
        pasts.append((live.seq, live.time_us, picture(live)))
    for seq, time_us, then in pasts:
        past = restore("alice", person.store.items(seq, time_us), seq, time_us)
        assert without_causes(picture(past)) == without_causes(then)


@LAW
@given(HISTORIES, st.integers(0, 12))
def test_deciding_touches_nothing(history: list[Any], failing: int) -> None:
    """Neither what is accepted, nor what is refused, nor what breaks off because something cannot be encoded."""
    person = alice()
    for one in history:
        before = picture(person.model)
        decided(person, one)
        assert picture(person.model) == before
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(model.changes, "_encode", Failing(failing))
            decided(person, one)
        assert picture(person.model) == before
        do(person, one)


@LAW
@given(HISTORIES, st.lists(st.booleans(), min_size=40, max_size=40))
def test_caches_may_be_dropped_at_any_moment(history: list[Any], drops: list[bool]) -> None:
    """What is decided is the same with and without them."""
    kept, dropping = alice(), alice()
    for one, drop in zip(history, drops, strict=False):
        if drop:
            dropping.caches = Caches()
        do(kept, one)
        do(dropping, one)
    assert picture(kept.model) == picture(dropping.model)
    assert kept.store.versions == dropping.store.versions
    assert kept.store.rows == dropping.store.rows
    assert kept.store.left == dropping.store.left


@LAW
@given(HISTORIES, st.lists(st.booleans(), min_size=40, max_size=40))
def test_what_is_remembered_is_true(history: list[Any], rests: list[bool]) -> None:
    """The latest evidence is that of the store, and only what is in the model is remembered; so after each rest."""
    person = alice()
    for one, rest in zip(history, rests, strict=False):
        do(person, one)
        if rest:
            person.caches.rest("alice")
        components = {
            component.number
            for _, context in contexts_below((), person.live.root)
            for component in context.components.values()
        }
        assert set(person.caches.latest) <= components
        for number in person.caches.latest:
            known = person.caches.latest.get(number)
            assert known is not None
            stored, last = latest_stored(person, number), held_last_stored(person, number)
            assert (known.plain, known.goal, known.correction) == (stored.plain, stored.goal, stored.correction)
            if known.knows_held:
                assert known.held_last == last
                assert known.held is None or known.held != known.plain


@LAW
@given(st.lists(histories.imported, min_size=1, max_size=3, unique_by=lambda one: tuple(one.path)), st.data())
def test_many_changes_count_all_or_none(imported: list[Any], data: st.DataObject) -> None:
    """If one of many cannot be encoded, nothing is changed and nothing stored; without the fault, all is there."""
    person = alice()
    command = Import(id="i", context=[], contexts=imported)
    decision = decided(person, (command, "llum", 0)) or []
    changes = sum(not isinstance(one, KeepHeldOrder) for one in decision)
    """Those that are encoded."""
    before, versions, rows = picture(person.model), len(person.store.versions), len(person.store.rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.changes, "_encode", Failing(data.draw(st.integers(0, max(0, changes - 1)))))
        if changes:
            with pytest.raises(Unencodable):
                person.do(command)
    assert picture(person.model) == before
    assert (len(person.store.versions), len(person.store.rows)) == (versions, rows)
    assert len(person.do(command).changes) == len(decision)


def test_a_model_begins_with_itself() -> None:
    """The first change of the command that makes a model gives the model to all that follow."""
    stamp = stamp_after(None, "alice", "_admin", 1, START_US)
    decision = run(decide(None, MakeModel(id="m", definition=histories.DEFINITION), stamp), lambda _: [])
    made: Model | None = None
    for change in decision.changes:
        made = evolve(made, change, stamp)
        assert made is not None
    assert (made.seq, made.time_us) == (1, START_US) if made else False


def test_a_cause_that_is_counted_again_stands_last() -> None:
    """Forgotten is the one that was counted least recently, after a restart too."""
    person = alice()
    stamp = stamp_after(person.live, "alice", "llum", 9, START_US * 2)
    for change in (CountCause("a", 1), CountCause("b", 1), CountCause("a", 2), CountCause("c", 1), CountCause("b", 0)):
        person.model = evolve(person.model, change, stamp)
    assert list(person.live.causes.items()) == [("a", 2), ("c", 1)]


class Unencodable(Exception):  # noqa: N818 - says what something is
    """What the failing encoder raises: nothing that a model would catch."""


class Failing:
    """An encoder that fails at its `at`-th use."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, _value: object) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise Unencodable
        return b"{}"


def decided(person: Person, one: tuple[Command, str, int]) -> Any:
    """Decide a command and let it go; None: it was refused, or broke off."""
    command, app, seconds = one
    stamp = stamp_after(person.live, "alice", app, person.seq + 1, person.live.time_us + seconds * STEP_US)
    try:
        return run(decide(person.live, command, stamp, person.caches.grants), person.store.meet).changes
    except (Refusal, Unencodable):
        return None


def without_causes(seen: Any) -> Any:
    """Causes are kept as they are now, not as they were."""
    return seen[:-1]


def held_last_stored(person: Person, component_no: int) -> Evidence | None:
    """Find the evidence that held last, is no goal and has not been withdrawn, as plainly as can be."""
    withdrawn = {(mark.withdrawn.component_no, mark.withdrawn.seq, mark.withdrawn.n) for mark in person.store.marks}
    plain = [
        row.evidence.evidence
        for row in person.store.rows
        if row.evidence.component_no == component_no
        and row.evidence.kind == "plain"
        and (component_no, row.seq, row.evidence.n) not in withdrawn
    ]
    return max(plain, key=lambda piece: (piece.held_from, piece.seq, piece.n), default=None)


def latest_stored(person: Person, component_no: int) -> Latest:
    """Find the newest evidence of each kind that has not been withdrawn, as plainly as can be."""
    withdrawn = {(mark.withdrawn.component_no, mark.withdrawn.seq, mark.withdrawn.n) for mark in person.store.marks}
    latest: dict[str, Evidence] = {}
    for row in sorted(person.store.rows, key=lambda row: (row.seq, row.evidence.n)):
        if row.evidence.component_no == component_no and (component_no, row.seq, row.evidence.n) not in withdrawn:
            latest[row.evidence.kind] = row.evidence.evidence
    return Latest(**latest)
