"""A slice that ends within one that goes on."""

import pytest

from schemas.outlasting import outlasted
from schemas.slices import Slice
from schemas.slicing import GrantPlace

ALL, FOOD, APPLES = GrantPlace(()), GrantPlace(("Food",)), GrantPlace(("Food", "apples"), True)
WHOLE = Slice(paths=[""], actions=["ask"])
VALUES = Slice(paths=["Food"], actions=["ask"], resolver="default", expires=8e9)


@pytest.mark.parametrize("end", [None, 9e9])
def test_what_ends_before_what_is_around_it_goes_on_by_that(end: float | None) -> None:
    """Whichever of them an app has already, and also where something is denied for a while."""
    wide = Slice(paths=[""], actions=["ask"], expires=end)
    for inner in (VALUES, Slice(paths=["Food"], denied=["ask"], expires=8e9)):
        assert outlasted([wide, inner]) == [(FOOD, ALL)]
        assert outlasted([wide], [inner]) == [(FOOD, ALL)]
        assert outlasted([inner], [wide]) == [(FOOD, ALL)]
        assert outlasted([], [wide, inner]) == [], "nothing is decided about these"


@pytest.mark.parametrize(
    "others",
    [
        [],
        [Slice(paths=[""], actions=["ask"], expires=8e9)],
        [Slice(paths=[""], actions=["ask"], expires=7e9)],
        [Slice(paths=[""], actions=["tell", "make"])],
        [Slice(paths=["Sport"], actions=["ask"])],
        [Slice(paths=[""], actions=["ask"], whose_rules="bob")],
    ],
)
def test_what_ends_with_all_that_gives_it_has_ended(others: list[Slice]) -> None:
    """Then there is nothing to say; nor of what allows something else."""
    assert outlasted([VALUES, *others]) == []


def test_the_nearest_that_lasts_decides() -> None:
    """One that denies keeps it out; one that ends as early counts for nothing then."""
    apples = Slice(components=["Food/apples"], actions=["ask"], expires=8e9)
    assert outlasted([WHOLE, apples, Slice(paths=["Food"], denied=["ask"])]) == []
    ends_too = Slice(paths=["Food"], denied=["ask"], expires=8e9)
    assert outlasted([WHOLE, apples, ends_too]) == [(APPLES, ALL), (FOOD, ALL)]


def test_what_a_slice_repeats_of_around_it_has_no_end_of_its_own() -> None:
    """Who may tell somewhere until a day may still make what is allowed around it."""
    assert outlasted([Slice(paths=[""], actions=["make"]), Slice(paths=["Food"], actions=["tell"], expires=8e9)]) == []
