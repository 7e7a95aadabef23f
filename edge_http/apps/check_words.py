"""Why an app may do something or may not, in the words of people."""

from typing import Final, NamedTuple

from edge_http.apps.words import VERBS, duration_in_words, path_in_words
from edge_http.home.why import KINDS
from schemas.app_names import app_name
from schemas.granting import CheckedPart, CheckReply
from schemas.paths import Path, parse_path
from schemas.slices import ACTIONS, Action


class CheckWanted(NamedTuple):
    """What somebody wants to know."""

    app: str
    verb: Action
    place: Path
    rules_in: str
    """The person in whose model the app's rules are that this is about; empty: the app itself."""


class CheckFound(NamedTuple):
    """What is known of it."""

    asked: CheckWanted
    is_component: bool
    reply: CheckReply


PARTS: Final = {
    "resolvers": "how values are worked out",
    "filters": "which evidence it may choose",
    "bind_resolver": "the value alone",
    "bind_view": "one view alone",
    "types": "which kinds of evidence",
    "past": "how things were before",
    "since": "from when on",
    "purpose": "what for, it says",
}
"""The parts of a setting that are no verbs."""

_UNLIMITED: Final = {
    "resolvers": "in every way",
    "filters": "any of it",
    "bind_resolver": "no: also what it was made from",
    "bind_view": "no: all there is",
    "types": "all of them",
    "past": "no",
    "since": "from the beginning",
    "purpose": "nothing",
}


def answer_in_words(checked: CheckFound) -> str:
    """Say what is so."""
    asked = checked.asked
    who = app_name(asked.app) + (f", for its rules in the model of {asked.rules_in}," if asked.rules_in else "")
    where = path_in_words(asked.place)
    where = where if checked.is_component or not asked.place else f"all of {where}"
    return f"{who} may {'' if checked.reply.allowed else 'not '}{VERBS[asked.verb]}: {where}."


def reason_in_words(reply: CheckReply) -> str:
    """Say what decides."""
    part = reply.parts[0] if reply.parts else None
    place = place_in_words(part.place) if part is not None and part.place is not None else ""
    verbs = ", ".join(_verb(one) for one in reply.needs)
    return {
        "owner": "It is an app of yours, and may do everything that you may.",
        "setting": f"What is set for {place} decides that.",
        "not_said": "Nothing that is set anywhere lets it.",
        "forbidden": f"What is set for {place} forbids it.",
        "expired": "What let it do so has ended.",
        "outside_view": "It sees one view alone, and this is not in it.",
        "needs": f"It would also have to be let do this: {verbs}.",
        "not_registered": "Your model does not know this app.",
    }[reply.reason]


def part_in_words(part: str) -> str:
    """Name a part of a setting."""
    return PARTS.get(part) or _verb(part)


def value_in_words(part: CheckedPart) -> str:
    """Say what counts for a part. Of a time that it names, the page writes it."""
    if part.part in ACTIONS:
        return "yes" if part.value else "no"
    if not part.value:
        return _UNLIMITED.get(part.part, "nothing")
    if part.part == "past" and isinstance(part.value, float | int):
        return f"up to {duration_in_words(part.value)} ago"
    if part.part == "since":
        return "only what came after"
    if isinstance(part.value, list):
        return ", ".join(KINDS.get(one, str(one)) for one in part.value)
    return str(part.value)


def place_in_words(place: str) -> str:
    """Write a place, such as `/Personal`, as people read it."""
    return path_in_words(parse_path(place.removeprefix("/")))


def _verb(name: str) -> str:
    return next((words for action, words in VERBS.items() if action == name), name)
