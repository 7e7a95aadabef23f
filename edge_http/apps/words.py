"""What an app may do, and what it has done, in the words of people."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from edge_http.home.reading import Crumb, url_of
from edge_http.home.why import KINDS
from schemas.app_names import app_name
from schemas.asked import AskedRow
from schemas.grants import ConsentDecision
from schemas.outlasting import Outlasted
from schemas.paths import parse_path
from schemas.slices import ACTIONS, Action, Slice

VERBS: Final[dict[Action, str]] = {
    "ask": "see what is there",
    "tell": "tell new things",
    "make": "make new parts",
    "delete": "delete parts",
    "rules": "have rules that act on what is told",
    "notify": "have rules that call an address elsewhere",
}
"""What each action of a slice lets an app do."""

WHOLE: Final = "your whole model"

DECISIONS: Final = {
    "allowed": "You let it in",
    "refused": "You refused it",
    "changed": "You changed what it may do",
    "revoked": "You took everything away",
}

WAYS: Final = {
    "code": "in a browser",
    "device": "by a code that you have typed",
    "password": "by a password",
}
"""How an app was signed in."""

_DONE: Final = {
    "ask": "asked",
    "tell": "told",
    "asked": "looked who asked",
    "consent_allowed": "was let in",
    "consent_refused": "was not let in",
    "consent_changed": "was given something else",
    "consent_revoked": "was stopped",
    "app_signed_in": "signed in",
    "app_signed_out": "was signed out",
    "app_signed_out_as_copied": "was signed out: somebody had a copy of what it signs in with",
}

_WHY_NOT: Final = {
    "permission_denied": "it may not",
    "no_such_component": "there is nothing of this name",
    "no_such_context": "there is nothing of this name",
    "no_such_view": "there is no such view",
}

_UNITS: Final = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


class ShownSlice(NamedTuple):
    """A slice, ready for a template. Times are seconds since 1970."""

    places: list[Crumb]
    verbs: list[str]
    denied: list[str]
    limits: list[str]
    since: float | None
    expires: float | None
    purpose: str
    for_rules_in: str
    """The person in whose model its rules are that this is for; empty: it is for the app itself."""


def shown_slice(one: Slice) -> ShownSlice:
    """Say what a slice allows."""
    return ShownSlice(
        places_in_words(one),
        [VERBS[action] for action in one.actions],
        [VERBS[action] for action in one.denied],
        limits_in_words(one),
        one.since,
        one.expires,
        one.purpose or "",
        one.whose_rules or "",
    )


def places_in_words(one: Slice) -> list[Crumb]:
    """Name the places of a slice, with the pages that show them."""
    contexts = [parse_path(path) for path in one.paths]
    components = [parse_path(path) for path in one.components]
    return [
        *(Crumb(f"everything in {path_in_words(path)}" if path else WHOLE, url_of(path)) for path in contexts),
        *(Crumb(path_in_words(path), url_of(path)) for path in components),
    ]


def path_in_words(path: Sequence[str]) -> str:
    """Write a path as people read it, such as `Personal / firstname`; that of the model itself by its name."""
    return " / ".join(path) or WHOLE


def going_on_in_words(one: Outlasted) -> str:
    """Say that an end would be none."""
    place, around = path_in_words(one.place.path), path_in_words(one.around.path)
    whose = f" for its rules in the model of {one.place.whose_rules}" if one.place.whose_rules else ""
    return (
        f"What you choose for {place}{whose} would end, and it would go on all the same by what you allow for {around}"
    )


TO_END: Final = "let both end at the same time, choose no end for the smaller part, or do not allow one of them"
"""What somebody can do where `going_on_in_words` says something."""


def limits_in_words(one: Slice) -> list[str]:
    """Say how an app may ask, if it may not ask as it likes. What has a time of its own is not among it."""
    said = []
    if one.view:
        said.append(f"only what the view “{one.view}” lists")
    if one.resolver:
        said.append(f"only the value, as “{one.resolver}” works it out, and nothing of what it was made from")
    if one.resolvers:
        said.append(f"values only as these work them out: {', '.join(one.resolvers)}")
    if one.filters:
        said.append(f"only what these filters let through: {', '.join(one.filters)}")
    if one.datatypes:
        said.append(f"only what is {' or '.join(KINDS[each] for each in one.datatypes)}")
    if one.past:
        said.append(f"also how it was, up to {duration_in_words(one.past)} ago")
    return said


def summary_of(slices: Sequence[Slice]) -> list[str]:
    """Say in a line for each kind of place what an app may do there."""
    places: dict[Action, list[str]] = {}
    for one in slices:
        names = [crumb.name for crumb in places_in_words(one)]
        for action in one.actions:
            places.setdefault(action, []).extend(names)
    verbs: dict[str, list[str]] = {}
    for action in (each for each in ACTIONS if each in places):
        verbs.setdefault(_some(places[action]), []).append(VERBS[action])
    return [f"{', '.join(some)}: {where}" for where, some in verbs.items()]


def row_in_words(row: AskedRow) -> str:
    """Say what an app did."""
    verb = _DONE.get(row.verb, row.verb.replace("_", " "))
    what = f"{verb} {_place_of(row)}".rstrip()
    return what if row.rule_of is None else f"{what}, for a rule in the model of {row.rule_of}"


def outcome_in_words(row: AskedRow) -> str:
    """Say by which right, or why not."""
    if row.code is not None:
        return f"refused: {_WHY_NOT.get(row.code, row.code.replace('_', ' '))}"
    if row.grant == "owner":
        return "as an app of yours"
    return f"by what it may in {path_in_words(parse_path(row.grant[1:]))}" if row.grant else ""


def decision_in_words(one: ConsentDecision) -> str:
    """Say what was decided."""
    if one.imported:
        return f"Elsewhere: {DECISIONS[one.decision].lower()}"
    return DECISIONS[one.decision]


def through_in_words(one: ConsentDecision) -> str:
    """Say through what somebody decided."""
    by = "this llum" if one.by == "llum" else app_name(one.by)
    return f"{by}, signed in by {one.how}" if one.how else by


def duration_in_words(seconds: float) -> str:
    """Write a number of seconds as people say it, such as `3 days`."""
    for unit, name in _UNITS:
        if seconds >= unit:
            count = round(seconds / unit)
            return f"{count} {name}" + ("" if count == 1 else "s")
    return "no time"


def _place_of(row: AskedRow) -> str:
    if row.kind in ("model", "account"):
        return ""
    path = path_in_words(row.path)
    return {"view": f"the view {path}", "context": f"all of {path}"}.get(row.kind, path)


def _some(names: list[str]) -> str:
    """Name a few, and say how many there are beyond."""
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:4]) + (f" and {len(unique) - 4} more" if len(unique) > 4 else "")
