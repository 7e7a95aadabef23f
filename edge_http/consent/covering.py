"""What an app has already of a slice that it asks for: all of it, some of it, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from schemas.permissions import Permission
from schemas.slices import Slice
from schemas.slicing import GrantPlace, settings_of

Cover = Literal["all", "narrower", "none"]
"""`narrower`: it may do all of it there, but sees less, or for a shorter time."""


def cover_of(one: Slice, current: Sequence[Slice]) -> Cover:
    """Say what an app has of a slice."""
    has = settings_of(current)
    covers = [_cover_at(place, setting, has) for place, setting in settings_of([one]).items()]
    if "none" in covers or not covers:
        return "none"
    return "narrower" if "narrower" in covers else "all"


def _cover_at(place: GrantPlace, wanted: Permission, has: Mapping[GrantPlace, Permission]) -> Cover:
    around = [has[each] for each in (place, *place.wider()) if each in has]
    asked = [verb for verb in _VERBS if getattr(wanted, verb)]
    if not all(_nearest(around, verb) for verb in asked):
        return "none"
    as_much = not wanted.ask or all(_is_no_narrower(part, wanted, around) for part in _PARTS)
    enough = as_much and _lasts(wanted, around)
    return "all" if enough else "narrower"


_VERBS: Final = ("ask", "tell", "make", "delete", "rules", "notify")
_PARTS: Final = ("bind_resolver", "bind_view", "resolvers", "filters", "types", "past", "since")


def _nearest(around: Iterable[Permission], part: str) -> object:
    """Give what the nearest setting says of a part; null: none says anything."""
    return next((value for one in around if (value := getattr(one, part)) is not None), None)


def _is_no_narrower(part: str, wanted: Permission, around: Sequence[Permission]) -> bool:
    asked, has = getattr(wanted, part), _nearest(around, part)
    if part == "past":
        return (has or 0) >= (asked or 0)  # type: ignore[operator]
    if part == "since":
        return (has or 0) <= (asked or 0)  # type: ignore[operator]
    if not has:
        return True
    return set(asked) <= set(has) and bool(asked) if isinstance(has, list) else has == asked


def _lasts(wanted: Permission, around: Sequence[Permission]) -> bool:
    """Tell whether what an app has lasts as long as what it asks for."""
    ends = [one.expires for one in around if one.expires]
    return not ends or bool(wanted.expires and min(ends) >= wanted.expires)
