"""Whether an app would see by a grant just what the page has shown, or less in a way that surprises nobody.

To take a slice away can show more: what is said of a component may be narrower than what is said of its context.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.slices import Slice
from schemas.slicing import GrantPlace, places_of


def is_as_shown(granted: Sequence[Slice], shown: Sequence[Slice], current: Sequence[Slice]) -> bool:
    """Tell whether the page need not be looked at again. `current` is what the app has before."""
    sees, was_shown = _seeing(granted), _seeing(shown)
    if any(one not in was_shown for one in sees):
        return False
    gone = [place for one in was_shown if one not in sees for place in places_of(one)]
    left = {place for one in (*sees, *_seeing(current)) for place in places_of(one)}
    return not any(_is_around(place, left) for place in gone)


def _seeing(slices: Iterable[Slice]) -> list[Slice]:
    """Give what lets an app ask, without what says nothing about what it sees at this moment."""
    return [msgspec.structs.replace(one, actions=["ask"], expires=None) for one in slices if "ask" in one.actions]


def _is_around(place: GrantPlace, others: set[GrantPlace]) -> bool:
    return not others.isdisjoint((place, *place.wider()))
