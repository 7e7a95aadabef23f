"""Resolvers: the shipped ones beyond the latest value, their arguments, and what a broken one does."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.resolvers.registry import Resolved, Resolver, checked_arguments, run
from model.resolvers.summaries import SHIPPED
from schemas.commands import Correct, SetResolver
from schemas.errors import Code
from schemas.evidence import Evidence
from schemas.queries import Ask

from .given import Person, failed

NOW = 1000.0


def evidence(*values: Any, every: float = 10.0, **members: Any) -> list[Evidence]:
    """Pieces told every ten seconds, the first at 0."""
    return [
        Evidence(seq=seq, value=value, source="probe", owner="alice", time=seq * every, creation_time=NOW, **members)
        for seq, value in enumerate(values)
    ]


def value(name: str, pieces: list[Evidence], now: float = NOW, **arguments: Any) -> Any:
    resolver = SHIPPED[name]
    return run(resolver, pieces, now, checked_arguments(resolver, arguments)).value


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("most_frequent", ["a", "b", "a", "b", "c"], "b"),
        ("most_frequent", [{"x": 1, "y": 2}, {"y": 2, "x": 1}, 3], {"x": 1, "y": 2}),
        ("most_frequent", [True, 1, 1], 1),
        ("most_frequent", [], None),
        ("mean", [1, 2, 6], 3.0),
        ("mean", ["a", True, None], None),
        ("mean", [], None),
        ("sum", [1, 2, 2**60], 2**60 + 3),
        ("sum", [0.1] * 10, 1.0),
        ("sum", [], 0),
        ("count", ["a", None, 3], 3),
        ("count", [], 0),
        ("time_weighted", [], None),
        ("time_weighted", [5], 5.0),
        ("time_in_state", [], {}),
        ("change_since", [], None),
        ("change_since", [4], 0),
    ],
)
def test_values(name: str, values: list[Any], expected: Any) -> None:
    """Of small histories."""
    assert value(name, evidence(*values)) == expected


@pytest.mark.parametrize("name", ["most_frequent", "mean", "sum", "count", "time_weighted", "time_in_state"])
def test_goals_are_no_observations(name: str) -> None:
    """A wish for a value is not the value."""
    observed = evidence(1, 2)
    wished = [Evidence(seq=9, value=99, source="p", owner="a", time=15.0, creation_time=NOW, flags=["goal"])]
    assert value(name, [*observed, *wished]) == value(name, observed)


def test_weights_halve_with_every_half_life() -> None:
    """The newest weighs 1, the one a half-life before it 0.5."""
    assert value("time_weighted", evidence(0, 3), half_life=10) == pytest.approx(2.0)
    assert value("time_weighted", evidence(0, 0, 7), half_life=10) == pytest.approx(4.0)


def test_very_old_evidence_does_not_end_in_zero_over_zero() -> None:
    """Weights are relative to the newest, so one of them is always 1."""
    assert value("time_weighted", evidence(3, 5, every=1e9), now=1e300, half_life=1e-3) == 5.0


def test_time_in_state() -> None:
    """A value holds until the next one, the last until now; the future does not count."""
    pieces = evidence("desk", "away", "desk")
    assert value("time_in_state", pieces, now=25.0) == {"desk": 15.0, "away": 10.0}
    assert value("time_in_state", pieces, now=15.0) == {"desk": 10.0, "away": 5.0}
    assert value("time_in_state", pieces, now=25.0, state="desk") == 15.0
    assert value("time_in_state", pieces, now=25.0, state="never") == 0.0
    assert value("time_in_state", pieces, now=25.0, since=12.0) == {"away": 8.0, "desk": 5.0}
    assert value("time_in_state", evidence(True, 1.5), now=20.0) == {"true": 10.0, "1.5": 10.0}


def test_change_since() -> None:
    """Numbers give a difference, other values both sides; before the first, the first stands in."""
    assert value("change_since", evidence(70, 72, 71), since=12) == -1
    assert value("change_since", evidence(70, 72, 71), since=-5) == 1
    assert value("change_since", evidence(70, 72, 71), now=25.0, age=20) == 1
    assert value("change_since", evidence("a", "b"), since=5) == {"from": "a", "to": "b"}


def test_what_has_no_time_of_its_own_held_from_its_acceptance() -> None:
    """The resolvers that go by time take it at its acceptance, between what has a time."""
    pieces = [
        Evidence(seq=1, value=4, source="p", owner="a", creation_time=10.0),
        Evidence(seq=2, value=6, source="p", owner="a", time=20.0, creation_time=90.0),
        Evidence(seq=3, value=9, source="p", owner="a", creation_time=30.0),
    ]
    assert value("time_in_state", pieces, now=45.0) == {"4": 10.0, "6": 10.0, "9": 15.0}
    assert value("change_since", pieces, now=45.0, since=25.0) == 3
    assert value("time_weighted", pieces, half_life=10) == pytest.approx((4 * 0.25 + 6 * 0.5 + 9) / 1.75)


@given(st.lists(st.one_of(st.integers(-(2**62), 2**62), st.floats(-1e15, 1e15)), min_size=1, max_size=20))
def test_means_lie_between_the_extremes(values: list[float]) -> None:
    """Up to a rounding of the last digit."""
    slack = 1e-9 * max(1.0, max(abs(one) for one in values))
    for name in ("mean", "time_weighted"):
        assert min(values) - slack <= value(name, evidence(*values)) <= max(values) + slack


@given(st.lists(st.sampled_from(["a", "b", 1]), max_size=20), st.floats(0, 500))
def test_the_time_is_shared_out(values: list[Any], now: float) -> None:
    """All states together held from the first piece until now."""
    seconds = value("time_in_state", evidence(*values), now=now)
    assert math.isclose(sum(seconds.values()), now if values else 0.0, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("default", {"half_life": 3}, "resolver_arguments"),
        ("time_weighted", {"half_life": "3"}, "resolver_arguments.half_life"),
        ("time_weighted", {"half_life": 0}, "resolver_arguments.half_life"),
        ("time_weighted", {"half_life": True}, "resolver_arguments.half_life"),
        ("change_since", {"since": float("nan")}, "resolver_arguments.since"),
    ],
)
def test_arguments_are_checked(name: str, arguments: dict[str, Any], field: str) -> None:
    """What a resolver did not declare, or not so, fails the component."""
    person = Person()
    reply = person.ask(Ask(context=["Personal"], view=["age"], resolver=name, resolver_arguments=arguments))
    (failure,) = reply.failures
    assert (failure.error.code, failure.error.field) == (Code.BAD_FIELD, field)


def test_arguments_reach_the_resolver() -> None:
    """Together with the time of the ask, which is its only clock."""
    person = Person()
    person.tell("mood", "good", time=person.now)
    at = person.now
    answer = person.answer(
        "mood", now=at + 100, resolver="time_in_state", resolver_arguments={"state": "good", "since": at + 40}
    )
    assert answer.value == pytest.approx(60.0)


def broken(what: Any) -> Resolver:
    def resolve(pieces: Any, now: float, given: Any) -> Any:
        if isinstance(what, Exception):
            raise what
        return what

    return Resolver("broken", resolve)


@pytest.mark.parametrize(
    "what",
    [
        ValueError("no"),
        RecursionError(),
        "not a Resolved",
        Resolved(float("nan")),
        Resolved(object()),
        Resolved({1: 2}),
        Resolved(2**70),
    ],
)
def test_a_broken_plug_in_fails_its_component_only(what: Any) -> None:
    """With a stable code; the others are answered."""
    person = Person(resolvers={**SHIPPED, "broken": broken(what)})
    person.tell("age", 1)
    person.do(SetResolver(id="s", context=["Personal"], component="firstname", resolver="broken"))
    reply = person.ask(Ask(context=["Personal"], view=["age", "firstname"]))
    assert failed(reply) == {"Personal/firstname": Code.RESOLVER_FAILED}
    assert [answer.value for answer in reply.components] == [1]


def test_a_correction_does_not_need_the_resolver() -> None:
    """It is not called, so a broken one does no harm."""
    person = Person(resolvers={**SHIPPED, "broken": broken(ValueError("no"))})
    person.do(Correct(id="c", context=["Personal"], component="age", value=5))
    assert person.value("age", resolver="broken") == 5
