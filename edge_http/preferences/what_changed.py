"""What an event says about one safe, and how two states of it differ."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from model.preferences.paths import leaves_in, path_of
from schemas.commands import DeleteApp, RegisterApp, SetPermission
from schemas.events import Event
from schemas.grants import Consent
from schemas.paths import Path
from schemas.preferences import SKELETON
from schemas.verbs import verb_of

_OF_RIGHTS: Final = frozenset(map(verb_of, (Consent, DeleteApp, RegisterApp, SetPermission)))
"""Commands that change what apps may do, and no preferences."""

What = Literal["settings", "rights", "more"]


class ChangeInSafe(NamedTuple):
    """What a command has changed in a safe."""

    seq: int
    time: float
    what: What
    """`settings`: those of `paths`. `rights`: what some app may do. `more`: too much to be named."""
    paths: list[Path] = []
    """Components of the safe, from the root of the model: settings, and what keeps the rest of a view."""


class ChangedSetting(msgspec.Struct, frozen=True):
    """A setting as a feed names it."""

    view: str
    set: str
    term: str
    """Its path in the preferences of its set, as metadata and mappings write it."""


def change_in(event: Event, place: Path) -> ChangeInSafe | None:
    """Tell what an event says about the safe at a place; None: it is about something else."""
    if event.verb in _OF_RIGHTS:
        return ChangeInSafe(event.seq, event.time, "rights")
    paths = [tuple(path) for path in event.paths]
    around = {path[:length] for path in paths for length in range(len(path))}
    # A context that was made for a setting is no change of its own.
    relevant = [path for path in paths if path not in around and _is_about(path, place)]
    if not relevant:
        return None
    if all(_is_component(path[len(place) :]) for path in relevant):
        return ChangeInSafe(event.seq, event.time, "settings", relevant)
    return ChangeInSafe(event.seq, event.time, "more")


def setting_at(path: Path, place: Path) -> ChangedSetting | None:
    """Name the setting at a path of a safe; None: it is what keeps the rest of a view."""
    view, name, *rest = path[len(place) :]
    return ChangedSetting(view, name, path_of(tuple(rest))) if rest else None


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ChangedSetting] | None:
    """List the settings that two states of a safe do not have alike; None: they are alike in everything."""
    # As JSON: there 1 is not true.
    were = {key: msgspec.json.encode(value) for key, value in leaves_of(before)}
    are = {key: msgspec.json.encode(value) for key, value in leaves_of(after)}
    changed = [key for key in {**were, **are} if were.get(key) != are.get(key)]
    if not changed and msgspec.json.encode(before) == msgspec.json.encode(after):
        return None
    return [ChangedSetting(view, name, path_of(rest)) for view, name, rest in changed]


def _is_about(path: Path, place: Path) -> bool:
    """Tell whether a path is in a safe or around it. Joined safes are in the place of the person's own."""
    if path[: len(place)] != place:
        return place[: len(path)] == path
    return len(path) == len(place) or not path[len(place)].startswith("_")


def _is_component(rest: Path) -> bool:
    return len(rest) > 2 or (len(rest) == 2 and rest[1] == SKELETON)


def leaves_of(sets: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, Path], Any]]:
    """Give each setting of a safe, its view, its set and its path there, with its value."""
    for view, body in sets.items():
        for name, one in _members(body.get("contexts")):
            for path, value in leaves_in(one.get("preferences")):
                yield (view, name, path), value


def _members(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield from ((name, one) for name, one in value.items() if isinstance(one, dict))
