"""What lets an app do more, and what takes away: by what then counts, whatever the slices look like."""

from typing import Any

import pytest

from edge_http.apps.narrowing import lets_more, without
from schemas.slices import Slice
from schemas.slicing import settings_of, slices_of

NOW = 1_000.0
LATER = 2_000.0


def slice_of(*paths: str, **parts: Any) -> Slice:
    given = {"actions": [] if "denied" in parts else ["ask"], **parts}
    return Slice(paths=list(paths), **given)


PERSONAL = slice_of("Personal")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([PERSONAL], []),
        ([PERSONAL], [slice_of("Personal/name")]),
        ([slice_of("Personal", actions=["ask", "tell"])], [PERSONAL]),
        ([PERSONAL], [slice_of("Personal", since=NOW)]),
        ([PERSONAL], [slice_of("Personal", expires=LATER)]),
        ([PERSONAL], [slice_of("Personal", resolver="default")]),
        ([PERSONAL], [slice_of("Personal", view="card")]),
        ([PERSONAL], [slice_of("Personal", datatypes=["explicit"])]),
        ([slice_of("Personal", past=60.0)], [PERSONAL]),
        ([PERSONAL], [PERSONAL, slice_of("Personal/health", denied=["ask"])]),
        ([PERSONAL, slice_of("Work")], [slice_of("Work")]),
        ([slice_of("Personal", resolvers=["a", "b"])], [slice_of("Personal", resolver="a")]),
        ([slice_of("Personal", datatypes=["explicit", "implicit"])], [slice_of("Personal", datatypes=["implicit"])]),
    ],
)
def test_taking_away_lets_an_app_do_no_more(before: list[Slice], after: list[Slice]) -> None:
    """And the way back does, each time."""
    assert not lets_more(before, after, NOW)
    assert lets_more(after, before, NOW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([slice_of("Personal", resolver="a")], [slice_of("Personal", resolver="b")]),
        ([slice_of("Personal", resolvers=["a"])], [slice_of("Personal", resolver="b")]),
        ([slice_of("Personal", view="a")], [slice_of("Personal", view="b")]),
        ([PERSONAL], [slice_of("Work")]),
        ([PERSONAL], [slice_of("")]),
        ([slice_of("Personal", since=NOW)], [slice_of("Personal", since=NOW - 1)]),
        ([slice_of("Personal", datatypes=["implicit"])], [slice_of("Personal", datatypes=["explicit"])]),
    ],
)
def test_something_else_is_more(before: list[Slice], after: list[Slice]) -> None:
    """Another value, another view, another place: what it gets then it did not get before."""
    assert lets_more(before, after, NOW)


def test_to_end_what_limits_is_more() -> None:
    """What a wider slice allows counts as soon as a narrower one is gone, or has ended."""
    health = slice_of("Personal/health", denied=["ask"])
    assert lets_more([PERSONAL, health], [PERSONAL], NOW)
    limited = slice_of("Personal/health", since=NOW)
    ending = slice_of("Personal/health", since=NOW, expires=LATER)
    assert lets_more([PERSONAL, limited], [PERSONAL, ending], NOW)
    assert not lets_more([PERSONAL, ending], [PERSONAL, limited], NOW)


def test_the_same_is_no_more() -> None:
    """However it is put."""
    both = slice_of("Personal", "Work")
    assert not lets_more([both], [slice_of("Work"), slice_of("Personal")], NOW)
    assert not lets_more([PERSONAL], [PERSONAL, slice_of("Personal/health")], NOW)


def test_what_is_taken_away_is_away() -> None:
    """Also where a wider slice would still allow it: there it is denied. The rest stays."""
    name = Slice(components=["Personal/name"], actions=["ask", "tell"])
    left = without([PERSONAL, name], name)
    assert left == [PERSONAL, Slice(components=["Personal/name"], denied=["ask"])]
    assert not lets_more([PERSONAL, name], left, NOW)
    assert slices_of(settings_of(left)) == left
    assert without([PERSONAL, name], PERSONAL) == [name]


def test_what_only_limits_goes_as_a_whole() -> None:
    """A slice that only denies leaves nothing behind."""
    health = slice_of("Personal/health", denied=["ask"])
    assert without([PERSONAL, health], health) == [PERSONAL]
