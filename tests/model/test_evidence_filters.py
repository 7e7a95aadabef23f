"""Evidence filters, and evidence in replies."""

import math

import pytest

from schemas.commands import Correct
from schemas.errors import Code
from schemas.evidence import EvidenceFilter, FilterName
from schemas.limits import MAX_EVIDENCE_PAGE
from schemas.queries import Ask

from .given import Person, last


def listed(person: Person, evidence_filter: EvidenceFilter | None, **query: object) -> list[object]:
    answer = person.answer("age", evidence_filter=evidence_filter, include_evidence=True, **query)
    assert answer.evidence is not None
    return [piece.value for piece in answer.evidence]


def twelve() -> Person:
    """Values 0 to 11, the even ones goals."""
    person = Person()
    for value in range(12):
        person.tell("age", value, flags=["goal"] if value % 2 == 0 else [])
    return person


def test_each_filter_lists_what_it_lets_through() -> None:
    """Ascending by acceptance."""
    person = twelve()
    tenth = person.answer("age", include_evidence=True).evidence[10].creation_time
    assert listed(person, None) == list(range(12))
    assert listed(person, EvidenceFilter()) == list(range(12))
    assert listed(person, EvidenceFilter(name="last1")) == [11]
    assert listed(person, EvidenceFilter(name="last10")) == list(range(2, 12))
    assert listed(person, last(3)) == [9, 10, 11]
    assert listed(person, EvidenceFilter(name="goal")) == [0, 2, 4, 6, 8, 10]
    assert listed(person, EvidenceFilter(name="since_time", since_time=tenth)) == [10, 11]
    assert listed(person, EvidenceFilter(name="since_time", since_time=math.nextafter(tenth, 1e12))) == [11]


@pytest.mark.parametrize(
    ("evidence_filter", "default", "goal", "recent"),
    [
        (EvidenceFilter(name="last1"), 11, None, 11),
        (EvidenceFilter(name="last10"), 11, 10, 11),
        (last(2), 11, 10, 11),
        (EvidenceFilter(name="goal"), None, 10, 10),
        (EvidenceFilter(name="since_time", since_time=0.0), 11, 10, 11),
        (EvidenceFilter(name="since_time", since_time=1e300), None, None, None),
        (EvidenceFilter(name="since_time", since_time=-1e300), 11, 10, 11),
    ],
)
def test_the_value_is_resolved_over_what_the_filter_lets_through(
    evidence_filter: EvidenceFilter, default: object, goal: object, recent: object
) -> None:
    """Filter first, then resolve; with and without the evidence in the reply."""
    person = twelve()
    for include in (False, True):
        values = [
            person.value("age", evidence_filter=evidence_filter, resolver=resolver, include_evidence=include)
            for resolver in ("default", "goal", "recent")
        ]
        assert values == [default, goal, recent]


@pytest.mark.parametrize(
    "evidence_filter",
    [
        EvidenceFilter(name="last1"),
        last(2),
        EvidenceFilter(name="goal"),
        EvidenceFilter(name="since_time", since_time=1e300),
    ],
)
def test_the_filter_may_choose_no_more_than_the_list(evidence_filter: EvidenceFilter) -> None:
    """As in the original: the newest is a goal, and `last1` lists it, but the value is that before it."""
    person = twelve()
    person.tell("age", 12, flags=["goal"])
    shown = listed(person, evidence_filter)
    for resolver, expected in (("default", 11), ("goal", 12), ("recent", 12), ("sum", 36), ("count", 6)):
        how = {"evidence_filter": evidence_filter, "value_over_all": True, "resolver": resolver}
        assert listed(person, **how) == shown
        answer = person.answer("age", **how)
        assert (answer.value, answer.value_filtered_by) == (expected, None)


@pytest.mark.parametrize("resolver", ["default", "goal", "recent", "sum"])
def test_the_reply_says_what_the_resolver_saw(resolver: str) -> None:
    """The filter's name, if there was one."""
    person = twelve()
    for name in ("last1", "last10", "goal"):
        answer = person.answer("age", evidence_filter=EvidenceFilter(name=name), resolver=resolver)
        assert answer.value_filtered_by == name
    for evidence_filter in (None, EvidenceFilter()):
        assert person.answer("age", evidence_filter=evidence_filter, resolver=resolver).value_filtered_by is None


def test_a_correction_is_not_filtered() -> None:
    """It decides, whatever a filter lets through, and the reply says that no filter did."""
    person = twelve()
    person.do(Correct(id="c", context=["Personal"], component="age", value=40))
    person.tell("age", 41)
    for over_all in (False, True):
        answer = person.answer("age", evidence_filter=EvidenceFilter(name="last1"), value_over_all=over_all)
        assert (answer.value, answer.value_filtered_by) == (40, None)


def test_an_explanation_is_of_what_the_resolver_saw() -> None:
    """A filter that only chooses the list has left nothing out."""
    why = (
        twelve()
        .answer("age", evidence_filter=EvidenceFilter(name="last1"), value_over_all=True, explain=True, resolver="goal")
        .explanation
    )
    assert why is not None
    assert why.evidence_filter == "all"
    assert [piece.value for piece in why.used] == [10]
    assert {reason.reason: reason.count for reason in why.left_out} == {"no_goal_flag": 6, "older": 5}


def test_a_value_over_all_evidence_is_read_once() -> None:
    """The latest is remembered from then on: what is read is the list alone."""
    person = twelve()
    person.reload()
    how = {"evidence_filter": EvidenceFilter(name="last1"), "value_over_all": True, "include_evidence": True}
    query = Ask(context=["Personal"], view=["age"], **how)
    assert person.answer("age", **how).value == 11
    (read,) = person.reads(query)
    assert (read.newest, read.kind) == (1, None)


@pytest.mark.parametrize("name", ["last1", "last10", "goal", "since_time"])
def test_a_filter_reads_no_more_than_it_lets_through(name: FilterName) -> None:
    """One bounded read for the value, however much evidence there is."""
    person = twelve()
    evidence_filter = EvidenceFilter(name=name, since_time=0.0)
    query = Ask(context=["Personal"], view=["age"], evidence_filter=evidence_filter, resolver="recent")
    (read,) = person.reads(query)
    assert read.newest == {"last10": 10}.get(name, 1)


@pytest.mark.parametrize(
    ("evidence_filter", "field"),
    [
        (EvidenceFilter(name="recent_count"), "evidence_filter.recent_count"),
        (last(0), "evidence_filter.recent_count"),
        (last(-1), "evidence_filter.recent_count"),
        (last(MAX_EVIDENCE_PAGE + 1), "evidence_filter.recent_count"),
        (last(True), "evidence_filter.recent_count"),
        (EvidenceFilter(name="since_time"), "evidence_filter.since_time"),
        (EvidenceFilter(name="since_time", since_time=math.nan), "evidence_filter.since_time"),
        (EvidenceFilter(name="since_time", since_time=math.inf), "evidence_filter.since_time"),
    ],
)
def test_filters_that_are_refused(evidence_filter: EvidenceFilter, field: str) -> None:
    """A missing or wrong argument refuses the ask and is named."""
    error = Person().refuses_ask(Ask(context=["Personal"], evidence_filter=evidence_filter))
    assert (error.code, error.field) == (Code.BAD_FILTER, field)


def test_expired_evidence_is_listed_but_does_not_decide() -> None:
    """It is history, and counts among the newest N."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2, useby=3.0)
    assert listed(person, None) == [1, 2]
    assert person.value("age", include_evidence=True) == 1
    assert person.value("age", evidence_filter=EvidenceFilter(name="last1")) is None
    assert listed(person, EvidenceFilter(name="last1")) == [2]


@pytest.mark.parametrize("evidence_filter", [None, EvidenceFilter(name="goal"), last(7)])
def test_evidence_comes_in_pages(evidence_filter: EvidenceFilter | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Following `evidence_more` with the last piece's place gives all, once; each page has the value of the whole."""
    monkeypatch.setattr("model.queries.ask.to_read.MAX_EVIDENCE_PAGE", 4)
    monkeypatch.setattr("model.queries.ask.paging.MAX_EVIDENCE_PAGE", 4)
    person = twelve()
    whole: list[object] = []
    after = None
    while True:
        answer = person.answer(
            "age", evidence_filter=evidence_filter, resolver="goal", include_evidence=True, evidence_after=after
        )
        assert answer.value == 10
        assert answer.evidence is not None
        assert len(answer.evidence) <= 4
        whole += [piece.value for piece in answer.evidence]
        if not answer.evidence_more:
            break
        after = (answer.evidence[-1].seq, answer.evidence[-1].n)
    expected = [value for value in range(12) if evidence_filter is None or value % 2 == 0]
    assert whole == (list(range(5, 12)) if evidence_filter == last(7) else expected)


def test_a_page_that_is_just_full_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no empty page at the end."""
    monkeypatch.setattr("model.queries.ask.to_read.MAX_EVIDENCE_PAGE", 12)
    monkeypatch.setattr("model.queries.ask.paging.MAX_EVIDENCE_PAGE", 12)
    assert not twelve().answer("age", include_evidence=True).evidence_more


def test_a_reply_is_bounded_in_bytes_over_all_components(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is left for another ask of that component, which begins where this page ended."""
    monkeypatch.setattr("model.queries.ask.finish.MAX_REPLY_BYTES", 700)
    person = Person()
    for name in ("firstname", "lastname"):
        for _ in range(3):
            person.tell(name, "x" * 200)
    view = ["firstname", "lastname"]
    first, second = person.ask(Ask(context=["Personal"], view=list(view), include_evidence=True)).components
    assert (len(first.evidence or []), first.evidence_more) == (2, True)
    assert (second.evidence, second.evidence_more, second.value) == ([], True, "x" * 200)
    alone = person.answer("lastname", include_evidence=True)
    assert len(alone.evidence or []) == 2
