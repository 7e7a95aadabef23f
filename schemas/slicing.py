"""What slices say as settings of a model, and settings as slices.

A grant is what a model holds for an app: a setting (`schemas.permissions.Permission`) for each of its places. Slices
say the same for people and clients. `settings_of` turns one into the other, `slices_of` the other way.

What an app may do adds up: a place has the verbs that its own slice names, and those of the places around it, unless
its own slice denies them. (A slice that names `tell` has of `make`, `delete` and `rules` around it what lasts as long.)
How an app may ask is said by the nearest slice that lets it ask, and by that alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from schemas.errors import Code, Refusal
from schemas.paths import Path, check_segment, check_token, format_path, parse_path
from schemas.permissions import AS_TELL, Permission, said
from schemas.plain_checks import check_name, check_names, check_text
from schemas.setting_checks import check_filters, check_of_rules, check_times
from schemas.slices import ACTIONS, Action, Slice

MAX_SLICES: Final = 64
"""Slices of one request: more than anybody reads on a page."""

MAX_PLACES: Final = 256
"""Places of one request, and of what an app may get by consent."""


class GrantPlace(NamedTuple):
    """Where a setting is, and for whom."""

    path: Path
    is_component: bool = False
    whose_rules: str | None = None

    def wider(self) -> "Iterator[GrantPlace]":
        """Give the contexts around it, nearest first."""
        for depth in range(len(self.path) - 1, -1, -1):
            yield GrantPlace(self.path[:depth], False, self.whose_rules)


GrantSettings = dict[GrantPlace, Permission]
"""What is set for one app, place by place."""

_OF_LIMIT: Final = {
    "bind_resolver": "resolver",
    "bind_view": "view",
    "resolvers": "resolvers",
    "filters": "filters",
    "types": "datatypes",
    "past": "past",
    "since": "since",
}
"""Which member of a slice says what of a setting: how an app may ask."""

_UNLIMITED: Final[dict[str, Any]] = {
    "bind_resolver": "",
    "bind_view": "",
    "resolvers": [],
    "filters": [],
    "types": [],
    "past": 0.0,
    "since": 0.0,
}
"""How a setting says that there is no such limit, so that none of a wider place counts."""

FIELD_OF_PART: Final[Mapping[str, str]] = {part: field for part, field in _OF_LIMIT.items() if part != field}
"""How a slice names those parts of a setting that have another name there."""


def places_of(one: Slice) -> list[GrantPlace]:
    """List the places of a slice. Raises `bad_path`."""
    contexts = [GrantPlace(parse_path(path), False, one.whose_rules) for path in one.paths]
    return contexts + [GrantPlace(parse_path(path), True, one.whose_rules) for path in one.components]


def checked(slices: Sequence[Slice], field: str) -> list[Slice]:
    """Give slices in their normal form, or raise `bad_field`, `bad_path`, `bad_filter`, `too_large` with the field."""
    if len(slices) > MAX_SLICES:
        raise Refusal(Code.TOO_LARGE, f"there are {len(slices)} slices, at most {MAX_SLICES}", field)
    normal = [_checked(one, f"{field}[{index}]") for index, one in enumerate(slices)]
    if sum(len(one.paths) + len(one.components) for one in normal) > MAX_PLACES:
        raise Refusal(Code.TOO_LARGE, f"the slices have more than {MAX_PLACES} places", field)
    _merged_by_place(normal, field)
    return normal


def check_ends(slices: Sequence[Slice], now: float, field: str) -> None:
    """Raise `bad_field` for a slice that would have ended already. `now` is seconds since 1970."""
    for index, one in enumerate(slices):
        if one.expires is not None and one.expires <= now:
            message = "the slice would have ended already"
            raise Refusal(Code.BAD_FIELD, message, f"{field}[{index}].expires", "name a later time")


def settings_of(slices: Sequence[Slice], around: Mapping[GrantPlace, Permission] | None = None) -> GrantSettings:
    """Give the settings that say what the slices say, one that is complete for each place.

    `around` are settings that stay, at other places. Raises `bad_field` where two slices contradict each other.
    """
    of_place = _merged_by_place(slices, "slices")
    known: GrantSettings = {**(around or {})}
    # Wider places first: what a place says of itself may depend on what they say.
    for place in sorted(of_place, key=_by_depth):
        known[place] = _setting(of_place[place], place, known)
    return {place: known[place] for place in of_place}


def slices_of(settings: Mapping[GrantPlace, Permission]) -> list[Slice]:
    """Give the slices that say what settings say. Leave out what has expired before."""
    alike: dict[bytes, list[GrantPlace]] = {}
    for place in sorted(settings, key=_by_name):
        found = _slice(settings, place)
        if found.actions or found.denied:
            alike.setdefault(_encode(found), []).append(place)
    return [_placed(_decode(encoded), places) for encoded, places in alike.items()]


def _checked(one: Slice, field: str) -> Slice:
    paths = [format_path(parse_path(path, f"{field}.paths[{at}]")) for at, path in enumerate(one.paths)]
    components = [_component(path, f"{field}.components[{at}]") for at, path in enumerate(one.components)]
    actions, denied = _in_order(one.actions), _in_order(one.denied)
    if not (paths or components):
        hint = 'name paths or components; the path "" is the whole model'
        raise Refusal(Code.BAD_FIELD, "the slice names no place", f"{field}.paths", hint)
    if not (actions or denied):
        raise Refusal(Code.BAD_FIELD, "the slice names no action", f"{field}.actions", f"any of {', '.join(ACTIONS)}")
    if set(actions) & set(denied):
        raise Refusal(Code.BAD_FIELD, "an action is both allowed and denied", f"{field}.denied", "name it once")
    _check_limits(one, field)
    _check_parts(one, field)
    return msgspec.structs.replace(
        one,
        paths=list(dict.fromkeys(paths)),
        components=list(dict.fromkeys(components)),
        actions=actions,
        denied=denied,
        resolver=one.resolver or None,
        view=one.view or None,
        past=one.past or None,
        since=one.since or None,
        purpose=one.purpose or None,
        expires=one.expires or None,
    )


def _check_limits(one: Slice, field: str) -> None:
    limited = [name for name in _OF_LIMIT.values() if getattr(one, name)]
    if limited and "ask" not in one.actions:
        message = f"{limited[0]} limits what an app may ask, and the slice does not let it ask"
        raise Refusal(Code.BAD_FIELD, message, f"{field}.{limited[0]}", 'add "ask" to actions, or leave it out')
    if one.view:
        check_segment(one.view, f"{field}.view")
        if one.components:
            message = "a view is one of a context, and the slice names components"
            raise Refusal(Code.BAD_FIELD, message, f"{field}.view", "make them two slices")
    if one.whose_rules is not None:
        check_token(one.whose_rules, f"{field}.whose_rules")
        check_of_rules(one.actions, f"{field}.")


def _check_parts(one: Slice, field: str) -> None:
    check_names(one.resolvers, f"{field}.resolvers")
    check_filters(one.filters, f"{field}.filters")
    if one.resolver:
        check_name(one.resolver, f"{field}.resolver")
    if one.purpose:
        check_text(one.purpose, f"{field}.purpose")
    check_times(one, f"{field}.")


def _component(text: str, field: str) -> str:
    path = parse_path(text, field)
    if not path:
        raise Refusal(Code.BAD_PATH, "the path of a component cannot be empty", field)
    return format_path(path)


def _in_order(actions: Iterable[Action]) -> list[Action]:
    named = set(actions)
    return [action for action in ACTIONS if action in named]


def _merged_by_place(slices: Sequence[Slice], field: str) -> dict[GrantPlace, Slice]:
    """Give what is said of each place; raise `bad_field` where two slices cannot both be meant."""
    found: dict[GrantPlace, Slice] = {}
    for index, one in enumerate(slices):
        for place in places_of(one):
            known = found.get(place)
            found[place] = one if known is None else _both(known, one, place, f"{field}[{index}]")
    return found


def _both(one: Slice, other: Slice, place: GrantPlace, field: str) -> Slice:
    limits = [each for each in (one, other) if "ask" in each.actions]
    parts = [name for name in _OF_LIMIT.values() if len({str(getattr(each, name)) for each in limits}) > 1]
    if one.expires != other.expires:
        parts.append("expires")
    if {*one.actions, *other.actions} & {*one.denied, *other.denied}:
        parts.append("denied")
    if parts:
        where = f"/{format_path(place.path)}"
        message = f"two slices say something different of {where}: {', '.join(parts)}"
        raise Refusal(Code.BAD_FIELD, message, f"{field}.{parts[0]}", "name each place once")
    return msgspec.structs.replace(
        limits[0] if limits else one,
        actions=_in_order((*one.actions, *other.actions)),
        denied=_in_order((*one.denied, *other.denied)),
        purpose="; ".join(dict.fromkeys(each.purpose for each in (one, other) if each.purpose)) or None,
    )


def _setting(one: Slice, place: GrantPlace, known: Mapping[GrantPlace, Permission]) -> Permission:
    verbs: dict[str, bool] = {**dict.fromkeys(one.actions, True), **dict.fromkeys(one.denied, False)}
    if "tell" in verbs:
        # A setting that says something of `tell` alone would say it of these, too.
        verbs |= {verb: _lasts_around(known, place, verb, one.expires) for verb in sorted(AS_TELL - verbs.keys())}
    limits = {part: getattr(one, name) or _UNLIMITED[part] for part, name in _OF_LIMIT.items()}
    return Permission(
        **verbs,  # type: ignore[arg-type]
        **(limits if verbs.get("ask") else {}),
        purpose=one.purpose or "",
        expires=one.expires,
    )


def _slice(settings: Mapping[GrantPlace, Permission], place: GrantPlace) -> Slice:
    """Say what is set for a place, without naming it."""
    own = settings[place]
    limited = any(getattr(own, part) is not None for part in _OF_LIMIT)
    actions = [verb for verb in ACTIONS if said(own, verb)]
    denied = [verb for verb in ACTIONS if said(own, verb) is False and _around(settings, place, verb)]
    if limited and own.ask is None and _around(settings, place, "ask"):
        actions = _in_order(("ask", *actions))
    elif not limited and own.ask and _around(settings, place, "ask"):
        actions.remove("ask")
    limits = _limits(settings, place, own) if "ask" in actions else {}
    return Slice(
        actions=actions,
        denied=denied,
        whose_rules=place.whose_rules,
        purpose=own.purpose or None,
        expires=own.expires or None,
        **limits,
    )


def _limits(settings: Mapping[GrantPlace, Permission], place: GrantPlace, own: Permission) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for part, name in _OF_LIMIT.items():
        value = getattr(own, part)
        value = _around(settings, place, part) if value is None else value
        if value:
            limits[name] = sorted(value) if isinstance(value, list) else value
    return limits


def _around(settings: Mapping[GrantPlace, Permission], place: GrantPlace, part: str) -> Any:
    """Give what the nearest of the contexts around a place says; None: none says anything."""
    for wider in place.wider():
        setting = settings.get(wider)
        if setting is not None and (value := said(setting, part)) is not None:
            return value
    return None


def _lasts_around(
    settings: Mapping[GrantPlace, Permission], place: GrantPlace, verb: str, expires: float | None
) -> bool:
    """Tell whether the contexts around a place allow a verb for as long as a setting of it counts.

    What ends earlier is not repeated there: it would go on when that has ended.
    """
    for wider in place.wider():
        setting = settings.get(wider)
        if setting is not None and (value := said(setting, verb)) is not None:
            return bool(value) and (setting.expires is None or (expires is not None and expires <= setting.expires))
    return False


def _placed(one: Slice, places: Sequence[GrantPlace]) -> Slice:
    paths = [format_path(place.path) for place in places if not place.is_component]
    components = [format_path(place.path) for place in places if place.is_component]
    return msgspec.structs.replace(one, paths=paths, components=components)


def _by_depth(place: GrantPlace) -> tuple[int, bool]:
    return len(place.path), place.is_component


def _by_name(place: GrantPlace) -> tuple[str, Path, bool]:
    return place.whose_rules or "", place.path, place.is_component


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Slice).decode
