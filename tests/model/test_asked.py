"""Who asked and told: the query, and which asks have shown a component."""

import pytest

from model.asked.shows import shows
from schemas.asked import AskedReply, AskedRow, PlaceKind
from schemas.errors import Code, Refusal
from schemas.grants import Consent
from schemas.queries import Asked
from schemas.slices import Slice

from .given import START_US, Person


@pytest.fixture
def person() -> Person:
    return Person()


def row(app: str, *path: str, kind: PlaceKind = "component", at: float = 100.0, **members: object) -> AskedRow:
    given = {"verb": "ask", "count": 1, "first": at, "last": at, **members}
    return AskedRow(app=app, path=list(path), kind=kind, **given)  # type: ignore[arg-type]


def asked(person: Person, **query: object) -> list[AskedRow]:
    reply = person.answered(Asked(**query))  # type: ignore[arg-type]
    assert isinstance(reply, AskedReply)
    return reply.rows


def test_windows_are_added_up_the_latest_first(person: Person) -> None:
    """Rows that differ in nothing but their time are one."""
    person.store.asked = [
        row("coach", "Personal", "age", at=10.0, count=2),
        row("insurer", "Personal", "age", at=20.0, code="permission_denied"),
        row("coach", "Personal", "age", at=30.0, count=3),
    ]
    first, second = asked(person)
    assert (first.app, first.count, first.first, first.last) == ("coach", 5, 10.0, 30.0)
    assert (second.app, second.code) == ("insurer", "permission_denied")


def test_only_what_is_asked_for_is_shown(person: Person) -> None:
    """An app, a place with all below it, and a stretch of time."""
    person.store.asked = [
        row("coach", "Personal", "age", at=10.0),
        row("insurer", "Personal", kind="context", at=20.0),
        row("insurer", "Goals", "Health", "steps", at=30.0),
        row("insurer", kind="model", at=40.0, verb="list_apps"),
    ]
    assert [one.last for one in asked(person, app="insurer")] == [40.0, 30.0, 20.0]
    assert [one.last for one in asked(person, path=["Personal"])] == [20.0, 10.0]
    assert [one.last for one in asked(person, path=["Personal", "age"])] == [10.0]
    assert [one.last for one in asked(person, since=20.0, until=30.0)] == [30.0, 20.0]


def test_what_was_told_comes_from_the_evidence(person: Person) -> None:
    """For each app and component how often, when first and when last."""
    person.register("phone", tell=True)
    person.tell("age", 41)
    first = person.seq + 1
    person.tell("age", 42, app="phone")
    person.tell("firstname", "Al", app="phone")
    person.tell("age", 43, app="phone")
    told = {(one.app, one.path[-1]): one for one in asked(person) if one.verb == "tell"}
    assert {key: one.count for key, one in told.items()} == {
        ("phone", "age"): 2,
        ("phone", "firstname"): 1,
        ("llum", "age"): 1,
    }
    times = [person.store.times[seq] / 1e6 for seq in (first, first + 2)]
    assert [told["phone", "age"].first, told["phone", "age"].last] == times
    assert [one.count for one in asked(person, path=["Personal", "age"], app="phone")] == [2]
    assert [one.count for one in asked(person, path=["Personal", "age"], since=times[1])] == [1]


def test_what_was_decided_about_apps_comes_from_the_decisions(person: Person) -> None:
    """At once, each by itself, with the app that it is about; what an import has brought was decided elsewhere."""
    ask = Slice(paths=["Personal"], actions=["ask"])
    for decision in ("refused", "allowed", "changed", "revoked"):
        granted = [ask] if decision in ("allowed", "changed") else []
        person.do(Consent(id="c", app="coach", decision=decision, granted=granted))  # type: ignore[arg-type]
    rows = asked(person, app="coach")
    assert [one.verb for one in rows] == ["consent_revoked", "consent_changed", "consent_allowed", "consent_refused"]
    assert {(one.kind, one.grant, one.count) for one in rows} == {("account", "owner", 1)}
    assert rows[0].last == START_US / 1e6 + person.seq
    assert [one.verb for one in asked(person, since=rows[1].last)] == ["consent_revoked", "consent_changed"]
    assert asked(person, path=["Personal"]) == []
    assert asked(person, app="other") == []


def test_a_reply_has_a_bound_and_says_what_is_beyond(person: Person) -> None:
    """The latest are shown."""
    person.store.asked = [row(f"app{number}", "Personal", "age", at=float(number)) for number in range(1010)]
    reply = person.answered(Asked())
    assert (len(reply.rows), reply.more, reply.rows[0].app) == (1000, 10, "app1009")


def test_only_the_owner_sees_who_asked(person: Person) -> None:
    """What one app does is not another's to know."""
    person.register("coach", ask=True, tell=True, make=True, delete=True, rules=True, notify=True)
    with pytest.raises(Refusal) as caught:
        person.answered(Asked(), "coach")
    assert caught.value.code is Code.PERMISSION_DENIED


def test_a_time_that_is_none_is_refused(person: Person) -> None:
    """As in an ask."""
    with pytest.raises(Refusal) as caught:
        person.answered(Asked(since=-1e300))
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "since")


def test_which_asks_have_shown_a_component(person: Person) -> None:
    """Of it, of its context, of a view that lists it; an export of what it is in. None that was refused."""
    seen = shows(person.live, ("Personal", "firstname"))
    shown = [
        row("a", "Personal", "firstname"),
        row("a", "Personal", kind="context"),
        row("a", "Personal", "fullname", kind="view"),
        row("a", kind="context", verb="export"),
    ]
    not_shown = [
        row("a", "Personal", "age"),
        row("a", kind="context"),
        row("a", "Personal", "firstname", kind="view"),
        row("a", "Personal", kind="context", verb="get_context"),
        row("a", "Goals", kind="context", verb="export"),
        row("a", "Personal", "firstname", code="permission_denied"),
    ]
    assert all(map(seen, shown))
    assert not any(map(seen, not_shown))
