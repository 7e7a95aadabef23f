"""What goes on by a wider place when the setting of a place within it has ended.

A setting that has ended does not count, so the wider ones do: what was narrower for a while is then as wide as they
are. Nobody who sets an end expects that, so the pages that ask people refuse it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.permissions import said
from schemas.slices import Action, Slice
from schemas.slicing import GrantPlace, GrantSettings, places_of, settings_of


class Outlasted(NamedTuple):
    """A place whose own setting ends, and one around it that goes on to allow the same."""

    place: GrantPlace
    around: GrantPlace


def outlasted(granted: Sequence[Slice], current: Sequence[Slice] = ()) -> list[Outlasted]:
    """List the places that end before what is around them, once slices are granted beside those an app has.

    What it has already is left alone, but where it is within or around what is granted. Raises `bad_field` where two
    slices contradict each other.
    """
    named = _named(current) | _named(granted)
    new = {place for one in granted for place in places_of(one)}
    before = settings_of(current)
    settings = {**before, **settings_of(granted, before)}
    found = (_outlasted(settings, place, actions) for place, actions in named.items())
    return [one for one in found if one is not None and not new.isdisjoint(one)]


def _named(slices: Sequence[Slice]) -> dict[GrantPlace, list[Action]]:
    """Give what slices allow or deny, place by place."""
    named: dict[GrantPlace, list[Action]] = {}
    for one in slices:
        for place in places_of(one):
            named[place] = [*named.get(place, ()), *one.actions, *one.denied]
    return named


def _outlasted(settings: GrantSettings, place: GrantPlace, actions: Sequence[Action]) -> Outlasted | None:
    end = settings[place].expires
    if not end:
        return None
    after = {one: setting for one, setting in settings.items() if setting.expires is None or setting.expires > end}
    around = (_allowing(after, place, action) for action in actions)
    return next((Outlasted(place, one) for one in around if one is not None), None)


def _allowing(settings: GrantSettings, place: GrantPlace, action: Action) -> GrantPlace | None:
    """Give the place around another that lets an app do something there, if the nearest that says so allows it."""
    nearest = next((wider for wider in place.wider() if wider in settings and _says(settings, wider, action)), None)
    return nearest if nearest is not None and said(settings[nearest], action) else None


def _says(settings: GrantSettings, place: GrantPlace, action: Action) -> bool:
    return said(settings[place], action) is not None
