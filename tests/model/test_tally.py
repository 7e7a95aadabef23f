"""The asks that are counted in memory: what is written when, and what is added up."""

import pytest

from model.asked.about import Heading, headings_of
from model.asked.tally import (
    MAX_QUESTIONS,
    MAX_REFUSED_PLACES,
    MAX_ROWS,
    MOST_ROWS,
    REPEATS_WAIT_S,
    URGENT_A_MINUTE,
    Question,
    Tally,
)
from schemas.asked import AskedRow
from schemas.commands import SetPermission
from schemas.errors import Code, Error
from schemas.queries import Access, Ask, AskForRule, Export, GetContext, ListApps, ListRules, Query
from schemas.replies import ComponentFailure

from .given import Person

NOW = 1_700_000_000.0
STEPS = Heading("coach", "ask", ("Sport", "steps"), "component", "/Sport")


@pytest.fixture
def person() -> Person:
    return Person()


def asked(
    tally: Tally, user: str = "alice", heading: Heading = STEPS, now: float = NOW, times: int = 1, data: bytes = b"{}"
) -> Question:
    """Ask as a worker counts it that answers at once."""
    question = tally.questions.get((heading.app, data)) or tally.ask(
        (heading.app, data), Question(user, (heading,), now, now)
    )
    question.count += times
    question.last = now
    return question


def summed(counted: list[tuple[str, list[AskedRow]]]) -> dict[str, int]:
    return {user: sum(row.count for row in rows) for user, rows in counted}


def test_the_same_ask_of_a_minute_is_one_row() -> None:
    """A row says how often, and when for the first and the last time."""
    tally = Tally()
    asked(tally, now=NOW, times=2)
    asked(tally, now=NOW + 30)
    assert tally.waits
    ((user, (row,)),) = tally.take(NOW + 60)
    assert not tally.waits
    assert user == "alice"
    assert (row.app, row.verb, row.path, row.kind, row.grant) == (
        "coach",
        "ask",
        ["Sport", "steps"],
        "component",
        "/Sport",
    )
    assert (row.count, row.first, row.last, row.code) == (3, NOW, NOW + 30, None)
    assert tally.take(NOW + 120) == []


def test_what_only_goes_on_waits_for_a_quarter_of_an_hour() -> None:
    """An app that asks the same all the time must not fill the record."""
    tally, written = Tally(), []
    for minute in range(30):
        asked(tally, now=NOW + 60 * minute)
        written.append(sum(summed(tally.take(NOW + 60 * minute + 59)).values()))
    assert [count for count in written if count] == [1, 15]
    assert sum(written) + sum(row.count for row in tally.rows_about("alice")) == 30


def test_another_app_or_place_is_written_within_the_minute() -> None:
    """With it goes what had waited."""
    tally = Tally()
    asked(tally)
    tally.take(NOW + 60)
    asked(tally, now=NOW + 70)
    asked(tally, heading=STEPS._replace(app="insurer"), now=NOW + 80)
    ((_, rows),) = tally.take(NOW + 120)
    assert sorted(row.app for row in rows) == ["coach", "insurer"]


def test_the_same_words_are_not_needed_to_be_the_same_ask() -> None:
    """Two queries about the same in other words are one row."""
    tally = Tally()
    asked(tally, data=b'{"min_seq":1}')
    asked(tally, data=b'{"min_seq":2}')
    ((_, (row,)),) = tally.take(NOW + 60)
    assert row.count == 2


def test_a_refusal_is_urgent_once() -> None:
    """An app that is refused again and again is counted like any other, so it cannot fill the disk."""
    tally, calls = Tally(), []
    tally.on_change = lambda: calls.append(tally.is_urgent)
    question = Question("alice", (STEPS,), NOW, NOW)
    tally.refuse(question, Code.PERMISSION_DENIED, NOW)
    assert calls == [True]
    ((_, (row,)),) = tally.take_urgent(NOW)
    assert (row.code, row.count) == ("permission_denied", 1)
    tally.refuse(question, Code.PERMISSION_DENIED, NOW + 1)
    assert not tally.is_urgent
    assert tally.take(NOW + 60) == []
    assert summed(tally.take(NOW + REPEATS_WAIT_S)) == {"alice": 1}


def test_an_app_cannot_push_out_what_it_did_by_being_refused() -> None:
    """Places that it makes up are told apart up to a bound, and do not write more than a few times a minute."""
    tally, written = Tally(), 0
    for number in range(1000):
        question = Question("alice", (STEPS._replace(path=(f"made up {number}",)),), NOW, NOW)
        tally.refuse(question, Code.PERMISSION_DENIED, NOW)
        written += len(tally.take_urgent(NOW)) if tally.is_urgent else 0
    assert written == URGENT_A_MINUTE
    ((_, rows),) = tally.take(NOW + 60)
    assert sum(row.count for row in rows) == 1000 - URGENT_A_MINUTE
    assert len(rows) == MAX_REFUSED_PLACES - URGENT_A_MINUTE + 1
    assert [row.path for row in rows if row.kind == "model"] == [[]]


def test_an_answer_without_some_components_counts_both() -> None:
    """What was answered is counted as such, and each of the others with its reason, under its own right."""
    tally = Tally()
    pulse = STEPS._replace(path=("Sport", "pulse"), grant="")
    question = Question("alice", (STEPS, pulse), NOW, NOW)
    failure = ComponentFailure(path=["Sport", "pulse"], error=Error(Code.PERMISSION_DENIED, "no"))
    tally.count(question, [failure], NOW)
    assert {(row.path[-1], row.code, row.grant) for row in tally.rows_about("alice")} == {
        ("steps", None, "/Sport"),
        ("pulse", "permission_denied", ""),
    }


def test_many_words_are_folded_early() -> None:
    """Apps that put the same into ever new words take no more room, and nothing is lost of the counts."""
    tally = Tally()
    for number in range(MAX_QUESTIONS + 10):
        asked(tally, data=str(number).encode())
        assert len(tally.questions) <= MAX_QUESTIONS
    assert summed(tally.take(NOW + 60)) == {"alice": MAX_QUESTIONS + 10}


def test_when_there_is_no_more_room_all_is_written_early() -> None:
    """Beyond the bound all rows are given out at once, and none is kept."""
    tally = Tally()
    for number in range(MAX_ROWS):
        asked(tally, f"u{number}", STEPS._replace(app=f"app{number}"))
        tally.rows_about("nobody")
    assert tally.is_urgent
    assert len(tally.take_urgent(NOW)) == MAX_ROWS
    assert tally.is_empty


def test_what_finds_no_room_is_counted_as_unrecorded() -> None:
    """While nothing can be written, what is known already goes on to be counted."""
    tally = Tally()
    for number in range(MOST_ROWS + 5):
        asked(tally, f"u{number}", STEPS._replace(app=f"app{number}"))
        tally.rows_about("nobody")
    asked(tally, "u0", STEPS._replace(app="app0"))
    counted = summed(tally.take_all(NOW))
    assert (len(counted), counted["u0"], tally.unrecorded) == (MOST_ROWS, 2, 5)


def test_nothing_is_counted_of_who_has_been_forgotten() -> None:
    """Neither what was counted before, nor an ask that is answered when its person is gone."""
    tally = Tally()
    asked(tally)
    late = Question("alice", (STEPS,), NOW, NOW)
    with tally.answering(late, NOW):
        tally.forget("alice")
        tally.count(late, (), NOW)
    assert tally.is_empty
    assert tally.take_all(NOW) == []


def headings(person: Person, query: Query, app: str = "coach", **more: str) -> set[tuple[str, str, str]]:
    found = headings_of(person.live, app, query, person.now, **more)  # type: ignore[arg-type]
    return {("/".join(one.path), one.kind, one.grant) for one in found}


def test_a_query_names_what_it_is_about_and_under_which_right(person: Person) -> None:
    """Components one by one, whole contexts and views as such; what is about no place is about the model."""
    person.register("coach")
    person.permit("coach", "Personal", ask=True)
    listed = Ask(context=["Personal"], view=["age", ["Goals", "Health", "steps"]])
    assert headings(person, listed) == {
        ("Personal/age", "component", "/Personal"),
        ("Goals/Health/steps", "component", ""),
    }
    assert headings(person, Ask(context=["Personal"])) == {("Personal", "context", "/Personal")}
    assert headings(person, Ask(context=["Personal"], view="fullname")) == {("Personal/fullname", "view", "/Personal")}
    assert headings(person, GetContext(), app="llum") == {("", "context", "owner")}
    assert headings(person, ListRules(context=["Personal"], component="age")) == {
        ("Personal/age", "component", "/Personal")
    }
    assert headings(person, ListApps(), app="llum") == {("", "model", "owner")}
    assert headings(person, Export(context=["Personal"]), app="llum") == {("Personal", "context", "owner")}
    assert headings(person, Access()) == set()


def test_an_ask_for_a_rule_is_marked(person: Person) -> None:
    """It is judged by what is granted to the rules of that person, and is told apart from an ask of the app."""
    person.register("coach")
    person.do(SetPermission(id="p", app="coach", context=["Personal"], whose_rules="bob", ask=True))
    query = AskForRule(whose_rules="bob", query=Ask(context=["Personal"], view=["age"]))
    (heading,) = headings_of(person.live, "coach", query, person.now)
    assert (heading.app, heading.verb, heading.rule_of, heading.grant) == ("coach", "ask", "bob", "/Personal")


def test_a_refused_name_takes_no_more_room_than_a_real_one(person: Person) -> None:
    """Whoever is refused chooses what is written into the record of somebody else."""
    (heading,) = headings_of(person.live, "coach", Ask(context=["x" * 9999] * 99, view=["y"]), person.now)
    assert (len(heading.path), len(heading.path[0])) == (32, 256)
