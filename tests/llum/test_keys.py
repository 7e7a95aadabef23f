"""Keys that are no longer needed, and what the command says of keys."""

import pytest

from bus.key_rings import Ring, new_ring, replaced
from llum.cli.commands.keys import OWN, RINGS
from llum.keys import kinds
from llum.keys.rings import without_unneeded

DAY_S = 86_400.0
NOW = 1_790_000_000.0


@pytest.fixture
def three() -> Ring:
    """Keys of day 0, day 10 and day 20."""
    ring = new_ring(NOW)
    for day in (10, 20):
        ring = replaced(ring, NOW + day * DAY_S, 10.0, None)
    return ring


def kept_with(ring: Ring, *days: float) -> list[float]:
    """Give the days of the keys that are kept when there are tokens that were made on these days."""
    lifetimes = [(NOW + day * DAY_S, NOW + 100 * DAY_S) for day in days]
    return [(key.made - NOW) / DAY_S for key in without_unneeded(ring, lifetimes).keys]


def test_a_key_is_kept_as_long_as_there_are_tokens_of_its_time(three: Ring) -> None:
    """The newest one always."""
    assert kept_with(three) == [20]
    assert kept_with(three, 5) == [20, 0]
    assert kept_with(three, 15) == [20, 10]
    assert kept_with(three, 5, 15, 25) == [20, 10, 0]
    assert kept_with(three, 25) == [20]


def test_a_token_of_the_moment_of_a_rotation_keeps_both(three: Ring) -> None:
    """It may have been made with either: the new key is used some seconds later, and issuers take a moment."""
    assert kept_with(three, 10 + 30 / DAY_S) == [20, 10, 0]


def test_the_command_knows_all_keys() -> None:
    """Each has words for what it is and what it costs."""
    assert tuple(kinds.KINDS) == (*OWN, *RINGS)
    assert set(kinds.WHAT) == set(kinds.COSTS) == set(kinds.COSTS_NOW) == set(kinds.KINDS)
