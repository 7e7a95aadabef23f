"""When it was true and when it was known: `latest_held`, `held_at` and the filter `held`.

Goal: asks that speak of the time at which something held give what a plain list of all evidence says, whatever was told
late or ahead, corrected, withdrawn or has expired, as of whenever, from memory as from the store.
"""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.resolvers.latest import BUILT_IN
from model.resolvers.registry import is_goal
from schemas.commands import Correct, Tell, Withdraw
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, EvidenceFilter, NewEvidence
from schemas.queries import Ask
from tests.effort import EFFORT

from .given import START_US, Person

START = START_US / 1e6
DAY = 86_400.0
MOMENTS = [-1e6, -3.0, 0.0, 2.0, 3.0, 3.5, 5.0, 8.0, 9.25, 20.0, DAY, 2 * DAY]
"""Seconds from the start: long before, among the commands (one a second), and ahead of them."""

_MOMENT = st.sampled_from([START + moment for moment in MOMENTS])
_MAYBE = st.one_of(st.none(), _MOMENT)


class Told(NamedTuple):
    """A piece of evidence, as plainly as can be."""

    piece: Evidence
    withdrawn_at: int | None

    @property
    def place(self) -> tuple[float, int, int]:
        return self.piece.held_from, self.piece.seq, self.piece.n


class History:
    """A person who is told things, and the plain list of that."""

    def __init__(self) -> None:
        self.person = Person()
        self.withdrawn: dict[tuple[int, int], int] = {}
        self.asked_at = 0.0
        """The latest time of an ask. Clocks do not go back here: what has expired once stays so in memory."""

    def pieces(self) -> list[Evidence]:
        rows = sorted(self.person.store.rows, key=lambda row: (row.seq, row.evidence.n))
        return [row.evidence.evidence for row in rows]

    def tell(self, data: st.DataObject) -> None:
        evidence = NewEvidence(
            value=data.draw(st.integers(0, 99)),
            time=data.draw(_MAYBE),
            useby=data.draw(st.one_of(st.none(), _MAYBE)),
            flags=data.draw(st.sampled_from([[], [], [], ["goal"]])),
        )
        self.person.do(Tell(id="t", context=["Personal"], component="age", evidence=evidence))

    def correct(self, data: st.DataObject) -> None:
        self.person.do(Correct(id="c", context=["Personal"], component="age", value=data.draw(st.integers(100, 199))))

    def withdraw(self, data: st.DataObject) -> None:
        there = [one for one in self.pieces() if (one.seq, one.n) not in self.withdrawn]
        if there:
            one = data.draw(st.sampled_from(there))
            self.person.do(Withdraw(id="w", context=["Personal"], component="age", seq=one.seq, n=one.n))
            self.withdrawn[one.seq, one.n] = self.person.seq

    def known(self, seq: int) -> list[Told]:
        """What was known then, and whether it had been withdrawn."""
        marks = {at: by for at, by in self.withdrawn.items() if by <= seq}
        return [Told(one, marks.get((one.seq, one.n))) for one in self.pieces() if one.seq <= seq]


def plain_order(told: list[Told], query: Ask) -> list[Told]:
    """Give what a filter lets through, in its order."""
    wanted = query.evidence_filter or EvidenceFilter()
    if query.held_at is not None:
        told = [one for one in told if one.piece.held_from <= query.held_at]
    if query.held_at is not None or wanted.name == "held":
        told = sorted(told, key=lambda one: one.place)
    if wanted.name == "held":
        first = float("-inf") if wanted.held_from is None else wanted.held_from
        end = float("inf") if wanted.held_until is None else wanted.held_until
        told = [one for one in told if first <= one.piece.held_from < end]
    if wanted.name == "goal":
        told = [one for one in told if is_goal(one.piece)]
    if wanted.name == "since_time":
        told = [one for one in told if one.piece.creation_time >= (wanted.since_time or 0)]
    return told[-(wanted.recent_count or 0) :] if wanted.name == "recent_count" else told


def plain_value(told: list[Told], query: Ask, now: float) -> Any:
    """Resolve, as plainly as can be."""
    at = now if query.held_at is None else query.held_at
    told = [one for one in told if one.withdrawn_at is None]
    latest_at = at if query.held_at is not None else at + DAY

    def counts(one: Told) -> bool:
        piece = one.piece
        is_later = piece.held_from if query.held_at is not None else piece.time or 0.0
        return (piece.useby is None or piece.useby > at) and is_later <= latest_at

    corrections = [one for one in told if one.piece.correction and counts(one)]
    if corrections:
        return (
            max(corrections, key=lambda one: one.place) if query.held_at is not None else corrections[-1]
        ).piece.value
    passing = [one for one in plain_order(told, query) if counts(one) and not one.piece.correction]
    if query.resolver == "latest_held":
        passing = sorted((one for one in passing if one.piece.held_from <= at), key=lambda one: one.place)
    kinds = {"recent": (True, False), "goal": (True,)}.get(query.resolver or "", (False,))
    decisive = [one.piece.value for one in passing if is_goal(one.piece) in kinds]
    return decisive[-1] if decisive else None


FILTERS = st.one_of(
    st.none(),
    st.builds(EvidenceFilter, name=st.just("goal")),
    st.builds(EvidenceFilter, name=st.just("recent_count"), recent_count=st.integers(1, 4)),
    st.builds(EvidenceFilter, name=st.just("since_time"), since_time=_MOMENT),
    st.builds(EvidenceFilter, name=st.just("held"), held_from=_MAYBE, held_until=_MOMENT),
    st.builds(EvidenceFilter, name=st.just("held"), held_from=_MOMENT),
)


def is_empty(period: EvidenceFilter) -> bool:
    assert period.held_from is not None
    assert period.held_until is not None
    return period.held_from >= period.held_until


def asked(history: History, data: st.DataObject) -> None:
    """Ask something, and compare."""
    person = history.person
    as_of = data.draw(st.one_of(st.none(), st.none(), st.integers(1, person.seq)))
    query = Ask(
        context=["Personal"],
        view=["age"],
        resolver=data.draw(st.sampled_from([*BUILT_IN, "latest_held"])),
        held_at=data.draw(_MAYBE),
        evidence_filter=data.draw(FILTERS),
        include_evidence=data.draw(st.booleans()),
        explain=data.draw(st.booleans()),
        as_of_seq=as_of,
    )
    wanted = query.evidence_filter
    if wanted is not None and None not in (wanted.held_from, wanted.held_until) and is_empty(wanted):
        with pytest.raises(Refusal):
            person.ask(query)
        return
    moments = [person.now, person.now, person.now + 5, person.now + DAY, person.now + 3 * DAY]
    now = history.asked_at = max(history.asked_at, data.draw(st.sampled_from(moments)))
    then = now if as_of is None else (START_US + as_of * 1_000_000) / 1e6
    told = history.known(person.seq if as_of is None else as_of)
    (answer,) = person.ask(query, now=now).components
    assert answer.value == plain_value(told, query, then)
    if query.include_evidence and wanted is not None and wanted.name != "recent_count":
        assert [one.seq for one in answer.evidence or []] == [one.piece.seq for one in plain_order(told, query)]
    if answer.explanation is not None and query.held_at is None and as_of is None:
        left_out = sum(reason.count for reason in answer.explanation.left_out)
        assert left_out + len(answer.explanation.used) == len(told)


@settings(max_examples=150 * EFFORT, deadline=None)
@given(st.data())
def test_asks_about_what_held_do_what_a_list_would(data: st.DataObject) -> None:
    """With tells late and ahead, corrections, withdrawals, expiry, filters and the past, live and after a restart."""
    history = History()
    steps = data.draw(st.lists(st.sampled_from("tttttcwraaaa"), min_size=1, max_size=14))
    for step in [*steps, "a", "a"]:
        if step == "r":
            history.person.reload()
        else:
            {"t": history.tell, "c": history.correct, "w": history.withdraw, "a": lambda one: asked(history, one)}[
                step
            ](data)


def lives() -> Person:
    """Told that she lives in B, then from a spool that arrives late that in 2019 it was A."""
    person = Person()
    person.tell(value="B")
    person.tell(value="A", time=1_550_000_000.0)
    return person


def test_what_arrives_late_takes_its_place_in_the_past() -> None:
    """The latest told is A, the latest held is B, and in 2019 it was A."""
    person = lives()
    assert person.value() == "A"
    assert person.value(resolver="latest_held") == "B"
    assert person.value(held_at=1_560_000_000.0) == "A"
    assert person.value(held_at=1_540_000_000.0) is None
    assert person.value(held_at=person.now) == "B"


def test_what_held_at_a_time_and_what_was_known_then_are_two_things() -> None:
    """Before the spool arrived nobody knew where she lived in 2019."""
    person = lives()
    assert person.value(held_at=1_560_000_000.0, as_of_seq=2) is None
    assert person.value(held_at=1_560_000_000.0, as_of_seq=3) == "A"
    assert person.value(as_of_seq=2) == "B"


@pytest.mark.parametrize("with_time", [False, True])
def test_memory_serves_what_held_last(with_time: bool) -> None:
    """Whether or not evidence has times: nothing is read once it is known, whatever is told then, and after a rest."""
    person = Person()
    query = Ask(context=["Personal"], view=["firstname"], resolver="latest_held")
    person.tell(value="first", time=person.now - 1 if with_time else None)
    assert person.reads(query) == []
    person.reload()
    assert person.reads(query) != []
    assert person.ask(query).components[0].value == "first"
    assert person.reads(query) == []
    person.tell(value="second", time=person.now - 0.1 if with_time else None)
    person.caches.rest("alice")
    assert person.reads(query) == []
    assert person.ask(query).components[0].value == "second"
    person.tell(value="late", time=person.now - 100)
    person.caches.rest("alice")
    assert person.ask(query).components[0].value == "second"


def test_what_is_told_ahead_counts_from_its_time_on() -> None:
    """For `latest_held` at once then; other resolvers wait for it only if it is more than a day ahead."""
    person = Person()
    person.tell(value="now")
    soon, later = person.now + 3600, person.now + 2 * DAY
    person.tell(value="soon", time=soon)
    assert person.value() == "soon"
    assert person.value(resolver="latest_held") == "now"
    assert person.value(resolver="latest_held", now=soon) == "soon"
    person.tell(value="later", time=later)
    assert person.value() == "soon"
    assert person.value(now=later - DAY) == "later"
    assert person.value(resolver="count") == 2
    person.reload()
    assert person.value() == "soon"
    assert person.value(now=later - DAY) == "later"


def test_what_waits_for_its_time_is_flagged() -> None:
    """In the evidence, and in the explanation with the skew of both times."""
    person = Person()
    person.tell(value="late", time=person.now - 2 * DAY)
    person.tell(value="ahead", time=person.now + 2 * DAY)
    answer = person.answer(include_evidence=True, explain=True)
    assert answer.evidence_ahead == [(3, 0)]
    why = answer.explanation
    assert why is not None
    assert [(reason.reason, reason.count) for reason in why.left_out] == [("ahead", 1)]
    assert [(skew.seq, skew.large, round(skew.skew_s / DAY)) for skew in why.skews] == [(2, True, 2), (3, True, -2)]
    person.tell(value="at once", time=person.now + 0.2)
    (skew, *_) = person.answer(explain=True).explanation.skews  # type: ignore[union-attr]
    assert not skew.large


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    """Midnight belongs to the day that it begins."""
    person = Person()
    for hour in (0, 6, 24, 30):
        person.tell(value=f"at {hour}", time=START + hour * 3600)
    tuesday = EvidenceFilter(name="held", held_from=START, held_until=START + DAY)
    answer = person.answer(evidence_filter=tuesday, include_evidence=True, now=START + 3 * DAY)
    assert [piece.value for piece in answer.evidence or []] == ["at 0", "at 6"]
    assert answer.value == "at 6"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (EvidenceFilter(name="held"), "evidence_filter.held_from"),
        (EvidenceFilter(name="held", held_from=float("nan")), "evidence_filter.held_from"),
        (EvidenceFilter(name="held", held_until=float("inf")), "evidence_filter.held_until"),
        (EvidenceFilter(name="held", held_from=2.0, held_until=2.0), "evidence_filter.held_until"),
    ],
)
def test_a_period_must_be_one(wanted: EvidenceFilter, field: str) -> None:
    """It has a beginning or an end, and some time in between."""
    error = Person().refuses_ask(Ask(evidence_filter=wanted))
    assert (error.code, error.field) == (Code.BAD_FILTER, field)


def test_a_time_must_be_one() -> None:
    """Milliseconds are told so."""
    error = Person().refuses_ask(Ask(held_at=1.7e12))
    assert (error.code, error.field) == (Code.BAD_FIELD, "held_at")


def test_an_app_asks_of_the_past_as_far_as_it_may() -> None:
    """As of any moment back to `past` seconds ago, and never of what is to come."""
    person = Person()
    person.tell(value="old", time=person.now - 1000)
    person.register("probe", ask=True, filters=["all"])
    for held_at in (person.now - 10, person.now + 10):
        (failure,) = person.ask(Ask(context=["Personal"], view=["firstname"], held_at=held_at), "probe").failures
        assert (failure.error.code, failure.error.field) == (Code.PERMISSION_DENIED, "held_at")
    person.permit("probe", past=500.0)
    assert person.answer(app="probe", held_at=person.now - 10).value == "old"
    reply = person.ask(Ask(context=["Personal"], view=["firstname"], held_at=person.now - 900), "probe")
    assert [failure.error.code for failure in reply.failures] == [Code.PERMISSION_DENIED]


def test_pages_of_a_period_go_on_where_they_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of holding, also where several pieces held at once."""
    monkeypatch.setattr("model.queries.ask.paging.MAX_EVIDENCE_PAGE", 3)
    person = Person()
    for value, hour in enumerate([5, 1, 1, 3, 1, 2, 9, 4]):
        person.tell("age", value, time=START + hour)
    period = EvidenceFilter(name="held", held_from=START + 1, held_until=START + 9)
    seen: list[int] = []
    after = None
    while True:
        answer = person.answer("age", evidence_filter=period, include_evidence=True, evidence_after=after)
        page = answer.evidence or []
        seen += [piece.value for piece in page]
        if not answer.evidence_more:
            break
        after = (page[-1].seq, page[-1].n)
    assert seen == [1, 2, 4, 5, 3, 7, 0]
