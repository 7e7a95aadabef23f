"""Laws of the model, over random histories."""

import copy
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from model.resolvers.latest import BUILT_IN
from model.resolvers.registry import is_goal
from model.resolvers.summaries import SHIPPED
from schemas.errors import Refusal
from schemas.evidence import Evidence, EvidenceFilter
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.effort import EFFORT

from .given import START_US, STEP_US, Person, picture
from .strategies import commands

APPS = st.sampled_from(["llum", "llum", "llum", "probe", "second"])
HISTORIES = st.lists(st.tuples(commands(), APPS, st.integers(-2, 3)), max_size=25)
CONTEXTS = [[], ["Personal"], ["Goals"], ["Goals", "Health"], ["Personal", "new"], ["Goals", "new"]]
LAW = settings(max_examples=60 * EFFORT)

TELLS = st.lists(
    st.tuples(st.integers(0, 9), st.booleans(), st.one_of(st.none(), st.integers(-3, 30)), st.integers(-1, 2)),
    max_size=25,
)
"""Value, goal or not, `useby` in seconds from the start, and seconds since the tell before."""

FILTERS = st.one_of(
    st.none(),
    st.builds(EvidenceFilter, name=st.sampled_from(["all", "last1", "last10", "goal"])),
    st.builds(EvidenceFilter, name=st.just("recent_count"), recent_count=st.integers(1, 30)),
    st.builds(
        EvidenceFilter,
        name=st.just("since_time"),
        since_time=st.integers(-5, 60).map(lambda steps: START_US / 1e6 + steps / 2),
    ),
)


def live(history: Sequence[tuple[Any, str, int]]) -> Person:
    """Apply a history, refusals and all."""
    person = Person()
    person.register("probe", ask=True)
    for command, app, seconds in history:
        try:
            person.do(command, app, person.live.time_us + seconds * STEP_US)
        except Refusal:
            continue
    return person


def naive_filter(evidence: list[Evidence], wanted: EvidenceFilter | None) -> list[Evidence]:
    """Say what a filter lets through, as plainly as can be."""
    if wanted is None or wanted.name == "all":
        return evidence
    if wanted.name == "goal":
        return [piece for piece in evidence if is_goal(piece)]
    if wanted.name == "since_time":
        assert wanted.since_time is not None
        return [piece for piece in evidence if piece.creation_time >= wanted.since_time]
    count = {"last1": 1, "last10": 10}.get(wanted.name) or wanted.recent_count or 0
    return evidence[max(0, len(evidence) - count) :]


def naive_value(evidence: list[Evidence], resolver: str, now: float) -> Any:
    """Say what a resolver makes of evidence, as plainly as can be."""
    for piece in reversed(evidence):
        wanted = resolver == "recent" or is_goal(piece) == (resolver == "goal")
        if wanted and (piece.useby is None or piece.useby > now):
            return piece.value
    return None


def told(tells: list[tuple[int, bool, int | None, int]]) -> Person:
    """Tell the age again and again."""
    person = Person()
    for value, goal, useby, seconds in tells:
        expires = None if useby is None else START_US / 1e6 + useby
        person.tell("age", value, flags=["goal"] if goal else [], useby=expires)
        person.live.time_us += max(0, seconds) * STEP_US
    return person


@LAW
@given(
    TELLS, FILTERS, st.sampled_from(sorted(BUILT_IN)), st.booleans(), st.booleans(), st.integers(-2, 40), st.booleans()
)
def test_filters_and_resolvers_do_what_a_list_would(
    tells: list[Any], wanted: EvidenceFilter | None, resolver: str, include: bool, explain: bool, at: int, reload: bool
) -> None:
    """Value, evidence and explanation are those of the naive way, from memory as from the store."""
    person = told(tells)
    if reload:
        person.reload()
    now = START_US / 1e6 + at
    evidence = [msgspec.json.decode(row.evidence.body, type=Evidence) for row in person.store.rows]
    passing = naive_filter(evidence, wanted)
    for _ in range(2):
        answer = person.answer(
            "age", now=now, evidence_filter=wanted, resolver=resolver, include_evidence=include, explain=explain
        )
        assert answer.value == naive_value(passing, resolver, now)
        assert answer.evidence == (passing if include else None)
    if answer.explanation is not None:
        counts = {reason.reason: reason.count for reason in answer.explanation.left_out}
        assert counts.get("filter", 0) == len(evidence) - len(passing)
        assert sum(counts.values()) + len(answer.explanation.used) == len(evidence)
        assert counts.get("expired", 0) == sum(piece.useby is not None and piece.useby <= now for piece in passing)


@LAW
@given(TELLS, st.lists(st.tuples(st.sampled_from(sorted(BUILT_IN)), st.integers(0, 4), st.booleans()), max_size=12))
def test_memory_never_changes_a_value(tells: list[Any], asks: list[tuple[str, int, bool]]) -> None:
    """Asks in any order, as time passes, with restarts in between: what is remembered gives what the store would."""
    person = told(tells)
    evidence = [msgspec.json.decode(row.evidence.body, type=Evidence) for row in person.store.rows]
    now = START_US / 1e6
    for resolver, seconds, reload in asks:
        now += seconds
        if reload:
            person.reload()
        assert person.answer("age", now=now, resolver=resolver).value == naive_value(evidence, resolver, now)


@LAW
@given(HISTORIES)
def test_a_refused_command_changes_nothing(history: list[Any]) -> None:
    """Neither the model nor what is stored."""
    person = Person()
    person.register("probe", tell=True)
    for command, app, seconds in history:
        before, versions, rows = picture(person.model), len(person.store.versions), len(person.store.rows)
        given_command = copy.deepcopy(command)
        try:
            person.do(command, app, person.live.time_us + seconds * STEP_US)
        except Refusal:
            assert picture(person.model) == before
            assert (len(person.store.versions), len(person.store.rows)) == (versions, rows)
        assert repr(command) == repr(given_command)


@LAW
@given(HISTORIES)
def test_a_restored_model_is_the_live_one(history: list[Any]) -> None:
    """Everything that ask can see is the same after a restart."""
    person = live(history)
    before = everything(person)
    person.reload()
    assert everything(person) == before
    assert everything(person) == before


@LAW
@given(HISTORIES, HISTORIES)
def test_a_restart_in_between_makes_no_difference(first: list[Any], second: list[Any]) -> None:
    """Commands applied after a restart do what they would have done without."""
    person = live([*first, *second])
    restarted = live(first)
    restarted.reload()
    for command, app, seconds in second:
        try:
            restarted.do(command, app, restarted.live.time_us + seconds * STEP_US)
        except Refusal:
            continue
    assert restarted.store.rows == person.store.rows
    assert restarted.store.versions == person.store.versions
    assert everything(restarted) == everything(person)


def everything(person: Person) -> list[AskReply | str]:
    """Ask for all there is, every way, as every app."""
    replies: list[AskReply | str] = []
    for app in ("llum", "probe", "second"):
        for context in CONTEXTS:
            for resolver in (None, *SHIPPED):
                query = Ask(context=context, resolver=resolver, show_contexts=True)
                replies.append(_reply(person, query, app))
            replies.append(_reply(person, Ask(context=context, include_evidence=True, explain=True), app))
    return replies


def _reply(person: Person, query: Ask, app: str) -> AskReply | str:
    try:
        return person.ask(query, app)
    except Refusal as refusal:
        return str(refusal)
