"""Values are counted by bounds."""

from bus.spread import Spread


def test_a_value_counts_up_to_its_bound() -> None:
    """A value that is a bound lies up to it; what is larger than all bounds counts too."""
    spread = Spread((1, 10))
    for value in (0.5, 1, 1.5, 10, 11, 1000):
        spread.note(value)
    assert spread.counts == [2, 2, 2]
    assert spread.total == 1024


def test_another_unit_changes_no_count() -> None:
    """Bounds and the sum are in the other unit then, and what is counted later is not in it."""
    spread = Spread((100, 1000))
    spread.note(500)
    scaled = spread.scaled(1 / 1000)
    spread.note(500)
    assert (scaled.bounds, scaled.counts, scaled.total) == ((0.1, 1), [0, 1, 0], 0.5)
