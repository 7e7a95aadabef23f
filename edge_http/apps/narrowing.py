"""Whether a change of what an app may do lets it do more anywhere, at any time.

Taking something away is done at once. What lets an app do more asks for a fresh sign-in, so that whoever finds a
browser open cannot let an app of theirs in. It is judged by what then counts at each place: to take away a slice that
denies something, or that limits what a wider one allows, lets an app do more.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from schemas.paths import format_path
from schemas.permissions import Permission, said
from schemas.slices import ACTIONS, Action, Slice
from schemas.slicing import GrantPlace, GrantSettings, places_of, settings_of, slices_of

_LIMITS: Final = ("bind_resolver", "bind_view", "resolvers", "filters", "types", "past", "since")


def lets_more(before: Sequence[Slice], after: Sequence[Slice], now: float) -> bool:
    """Tell whether an app may do anything by the slices `after` that it may not do by those `before`.

    `now` is seconds since 1970. It is looked at each place that either names, now and after the end of each slice.
    """
    old, new = settings_of(before), settings_of(after)
    ends = {one.expires for one in (*before, *after) if one.expires is not None and one.expires > now}
    return any(_is_more(old, new, place, at) for place in {*old, *new} for at in (now, *ends))


def without(slices: Sequence[Slice], gone: Slice) -> list[Slice]:
    """Take a slice away, so that the app may do nothing there any more of what it allows.

    What a wider slice allows there, too, is denied at its places: taken away is taken away.
    """
    rest = [one for one in slices if one != gone]
    settings = settings_of(rest)
    denied: dict[tuple[Action, ...], list[GrantPlace]] = {}
    for place in places_of(gone):
        left = tuple(action for action in ACTIONS if action in gone.actions and _around(settings, place, action))
        denied.setdefault(left, []).append(place)
    return rest + [_denying(places, actions) for actions, places in denied.items() if actions]


def _denying(places: Sequence[GrantPlace], actions: Iterable[Action]) -> Slice:
    return Slice(
        paths=[format_path(place.path) for place in places if not place.is_component],
        components=[format_path(place.path) for place in places if place.is_component],
        denied=list(actions),
        whose_rules=places[0].whose_rules,
    )


def _is_more(old: GrantSettings, new: GrantSettings, place: GrantPlace, at: float) -> bool:
    before, after = _living(old, at), _living(new, at)
    if any(_around(after, place, verb) and not _around(before, place, verb) for verb in ACTIONS):
        return True
    if not _around(after, place, "ask"):
        return False
    bound, usable = _around(after, place, "bind_resolver"), _around(before, place, "resolvers")
    if bound and usable and bound not in usable:
        return True
    # Which resolvers it may name counts for nothing where one is bound.
    parts = [part for part in _LIMITS if not (bound and part == "resolvers")]
    return any(_is_wider(part, _around(before, place, part), _around(after, place, part)) for part in parts)


def _living(settings: GrantSettings, at: float) -> GrantSettings:
    return {place: one for place, one in settings.items() if one.expires is None or one.expires > at}


def _around(settings: GrantSettings, place: GrantPlace, part: str) -> Any:
    """Give what counts at a place: what it says itself, or the nearest of those around it."""
    for each in (place, *place.wider()):
        setting: Permission | None = settings.get(each)
        if setting is not None and (value := said(setting, part)) is not None:
            return value
    return None


def _is_wider(part: str, before: Any, after: Any) -> bool:
    if part in ("past", "since"):
        earlier, later = (before or 0, after or 0) if part == "past" else (after or 0, before or 0)
        return bool(later > earlier)
    if not before or before == after:
        return False
    return not after or isinstance(before, str) or not set(after) <= set(before)


def replaced(slices: Sequence[Slice], old: Slice, new: Slice) -> list[Slice]:
    """Put a slice in the place of another one. One that allows and denies nothing goes."""
    kept = [new if one == old else one for one in slices]
    return [one for one in kept if one.actions or one.denied]


def apart(slices: Iterable[Slice]) -> list[Slice]:
    """Give a slice for each place, so that each can be changed by itself."""
    return [
        msgspec.structs.replace(one, paths=paths, components=components)
        for one in slices
        for paths, components in (*(([path], []) for path in one.paths), *(([], [path]) for path in one.components))
    ]


def together(slices: Sequence[Slice]) -> list[Slice]:
    """Give as few slices as say the same."""
    return slices_of(settings_of(slices))


def same_slice(slices: Sequence[Slice], written: str) -> Slice | None:
    """Find the slice that a page has shown, by how it is written as JSON; None: it has changed since."""
    return next((one for one in slices if as_written(one) == written), None)


def as_written(one: Slice) -> str:
    """Write a slice as a form carries it."""
    return msgspec.json.encode(one).decode()
