"""What a person has chosen on the page, slice by slice, and the grant that follows: never more than was asked for."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from edge_http.consent.until import Until, end_of
from edge_http.sessions.forms import Form
from schemas.errors import Code, Refusal
from schemas.paths import format_path
from schemas.permissions import said
from schemas.slices import Action, Slice
from schemas.slicing import GrantPlace, GrantSettings, places_of, settings_of

KEEP, ALLOW, REFUSE = "keep", "allow", "refuse"
"""What may be chosen for a slice: what the app has of it already stays as it is, or it is allowed, or not."""

_VIEW, _RESOLVER = "view:", "resolver:"


class SliceChoice(NamedTuple):
    """What is chosen for one slice."""

    what: str = ALLOW
    actions: tuple[Action, ...] = ()
    limit: str = ""
    """As an `Option` of the slice says it; empty: as it was asked for."""
    from_now: bool = False
    until: Until = Until()


class Option(NamedTuple):
    """A way to narrow what an app gets of a slice."""

    value: str
    words: str


class Chosen(NamedTuple):
    """The grant that follows from all choices."""

    granted: list[Slice]
    refused: list[Slice]
    """What was asked for and is not granted, as it was asked for."""


ONLY_VALUE: Final = Option(f"{_RESOLVER}default", "Only the value, not the single pieces of evidence")
"""Whoever is bound to a resolver gets no evidence."""


def view_option(name: str, listed: str) -> Option:
    """Offer a view: the app sees nothing else of the place."""
    return Option(f"{_VIEW}{name}", f"Only the view “{name}”: {listed}")


def resolver_option(name: str, description: str) -> Option:
    """Offer a resolver that says yes or no."""
    return Option(f"{_RESOLVER}{name}", f"Only yes or no: {description.rstrip('.')}")


def asked_choice(one: Slice) -> SliceChoice:
    """Give the choice that allows a slice as it was asked for."""
    return SliceChoice(actions=tuple(one.actions))


def choice_in(form: Form, number: int, one: Slice) -> SliceChoice:
    """Read the choice for a slice. Raises `bad_field`."""
    wanted = set(form.all(f"actions-{number}"))
    what = form.get(f"what-{number}", REFUSE)
    if what not in (KEEP, ALLOW, REFUSE):
        raise Refusal(Code.BAD_FIELD, "there is no such choice", f"what-{number}", "load the page anew")
    return SliceChoice(
        what,
        tuple(action for action in one.actions if action in wanted),
        form.get(f"limit-{number}"),
        form.get(f"from-now-{number}") == "1",
        Until(form.get(f"until-{number}"), form.get(f"date-{number}")),
    )


def effective(one: Slice, choice: SliceChoice) -> Slice:
    """Give a slice with the actions that the app gets of it by a choice."""
    return msgspec.structs.replace(one, actions=list(choice.actions) if choice.what == ALLOW else [])


def chosen(
    slices: Sequence[Slice], choices: Sequence[SliceChoice], options: Sequence[Sequence[Option]], now: float, zone: str
) -> Chosen:
    """Give the grant that follows. Raises `bad_field` for what the page has not offered.

    `now` is what "from now on" means, seconds since 1970.
    """
    granted, refused, left_out = [], [], []
    for number, (one, choice) in enumerate(zip(slices, choices, strict=True)):
        if choice.limit and choice.limit not in [option.value for option in options[number]]:
            raise Refusal(Code.BAD_FIELD, "the page has not offered this", f"limit-{number}", "load the page anew")
        if choice.what == ALLOW and choice.actions:
            granted.append(_narrowed(one, choice, number, now, zone))
            left = [action for action in one.actions if action not in choice.actions]
            left_out.append(msgspec.structs.replace(one, actions=left))
        elif choice.what != KEEP:
            refused.append(one)
    return Chosen(granted + _kept_out([*refused, *left_out], granted), refused)


def _kept_out(refused: Sequence[Slice], granted: Sequence[Slice]) -> list[Slice]:
    """Deny what was refused where a wider slice that is allowed would give it all the same: refused is refused."""
    settings = settings_of(granted)
    return [
        Slice(
            paths=[] if place.is_component else [format_path(place.path)],
            components=[format_path(place.path)] if place.is_component else [],
            denied=denied,
            whose_rules=place.whose_rules,
            expires=settings[place].expires if place in settings else None,
        )
        for one in refused
        for place in places_of(one)
        if (denied := [action for action in one.actions if _is_given_around(settings, place, action)])
    ]


def _is_given_around(settings: GrantSettings, place: GrantPlace, action: Action) -> bool:
    """Tell whether the nearest setting around a place gives what its own does not."""
    own = settings.get(place)
    if own is not None and said(own, action):
        return False
    around = (said(settings[wider], action) for wider in place.wider() if wider in settings)
    return bool(next((value for value in around if value is not None), False))


def _narrowed(one: Slice, choice: SliceChoice, number: int, now: float, zone: str) -> Slice:
    end = end_of(choice.until, now, zone, f"date-{number}")
    ends = [each for each in (one.expires, end) if each is not None]
    narrowed = msgspec.structs.replace(one, actions=list(choice.actions), expires=min(ends) if ends else None)
    if "ask" not in choice.actions:
        return msgspec.structs.replace(
            narrowed, resolver=None, view=None, resolvers=[], filters=[], datatypes=[], past=None, since=None
        )
    if choice.limit.startswith(_VIEW):
        narrowed = msgspec.structs.replace(narrowed, view=choice.limit.removeprefix(_VIEW))
    elif choice.limit.startswith(_RESOLVER):
        # Who gets one value has no choice of others.
        narrowed = msgspec.structs.replace(narrowed, resolver=choice.limit.removeprefix(_RESOLVER), resolvers=[])
    if choice.from_now:
        narrowed = msgspec.structs.replace(narrowed, since=max(one.since or 0.0, now))
    return narrowed
