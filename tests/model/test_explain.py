"""Explaining a value: what was used, what was left out and why."""

from typing import Any

import pytest

from schemas.evidence import EvidenceFilter
from schemas.explaining import Explanation

from .given import Person, last


def explained(person: Person, **query: Any) -> Explanation:
    explanation = person.answer("age", explain=True, **query).explanation
    assert explanation is not None
    return explanation


def counts(explanation: Explanation) -> dict[str, int]:
    return {reason.reason: reason.count for reason in explanation.left_out}


def used(explanation: Explanation) -> list[Any]:
    return [piece.value for piece in explanation.used]


def mixed() -> Person:
    """Old, expired, a goal, the decisive one, a goal."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2, useby=5.0)
    person.tell("age", 3, flags=["goal"])
    person.tell("age", 4)
    person.tell("age", 5, flags=["goal"])
    return person


def test_everything_is_accounted_for() -> None:
    """Each piece is either used or left out for one reason."""
    explanation = explained(mixed())
    assert used(explanation) == [4]
    assert counts(explanation) == {"older": 1, "expired": 1, "goal_flag": 2}
    assert explanation.evidence_filter == "all"
    assert (explanation.resolver, explanation.resolver_from, explanation.grant) == ("default", "default", "owner")


def test_the_time_of_judgement_is_said() -> None:
    """Expiry depends on it."""
    person = mixed()
    assert explained(person, now=4.0).evaluated_at == 4.0
    assert counts(explained(person, now=4.0)) == {"older": 2, "goal_flag": 2}


def test_the_goal_resolver_leaves_out_what_is_no_goal() -> None:
    """And older goals as older."""
    explanation = explained(mixed(), resolver="goal")
    assert used(explanation) == [5]
    assert counts(explanation) == {"older": 1, "expired": 1, "no_goal_flag": 2}


@pytest.mark.parametrize(
    ("evidence_filter", "excluded"),
    [(EvidenceFilter(name="last1"), 4), (last(2), 3), (EvidenceFilter(name="goal"), 3)],
)
def test_what_the_filter_keeps_out(evidence_filter: EvidenceFilter, excluded: int) -> None:
    """It is never looked at for any other reason."""
    explanation = explained(mixed(), evidence_filter=evidence_filter)
    assert counts(explanation)["filter"] == excluded
    assert explanation.evidence_filter == evidence_filter.name
    assert sum(counts(explanation).values()) + len(explanation.used) == 5


def test_examples_are_the_newest_few() -> None:
    """Enough to recognise them, newest first."""
    person = Person()
    for value in range(10):
        person.tell("age", value)
    (older,) = explained(person).left_out
    assert older.count == 9
    assert [piece.value for piece in older.examples] == [8, 7, 6, 5, 4]


def test_the_grant_is_named() -> None:
    """By the context whose permission applied."""
    person = mixed()
    person.register("probe", ask=True)
    assert explained(person, app="probe").grant == "/"
    person.permit("probe", "Personal", ask=True)
    assert explained(person, app="probe").grant == "/Personal"


@pytest.mark.parametrize("evidence_filter", [None, EvidenceFilter(name="goal"), last(2), "since"])
def test_what_is_older_than_the_page_is_counted_only(
    evidence_filter: EvidenceFilter | str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The filter's share of it is exact, the rest counts as older; what was used is found however old it is."""
    monkeypatch.setattr("model.queries.ask.explain.MAX_EVIDENCE_PAGE", 3)
    person = Person()
    for value in range(8):
        person.tell("age", value, flags=["goal"] if value >= 3 else [])
    pieces = person.answer("age", include_evidence=True).evidence
    assert pieces is not None
    if evidence_filter == "since":
        evidence_filter = EvidenceFilter(name="since_time", since_time=pieces[1].creation_time)
    assert not isinstance(evidence_filter, str)
    explanation = explained(person, evidence_filter=evidence_filter)
    name = "all" if evidence_filter is None else evidence_filter.name
    expected = {
        "all": ([2], {"goal_flag": 3, "older": 4}),
        "goal": ([], {"filter": 3, "goal_flag": 3, "older": 2}),
        "recent_count": ([], {"filter": 6, "goal_flag": 2}),
        "since_time": ([2], {"filter": 1, "goal_flag": 3, "older": 3}),
    }
    assert (used(explanation), counts(explanation)) == expected[name]


def test_examples_share_the_bytes_of_the_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts stay; examples that do not fit are left out."""
    monkeypatch.setattr("model.queries.ask.finish.MAX_REPLY_BYTES", 400)
    person = Person()
    for _ in range(4):
        person.tell("firstname", "x" * 150)
    explanation = person.answer("firstname", explain=True).explanation
    assert explanation is not None
    (older,) = explanation.left_out
    assert (older.count, len(older.examples)) == (3, 1)
