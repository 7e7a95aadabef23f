"""What a capture would tell, what an apply would set, and what an undo would put back: all that a person sees first.

Only settings that the ontology names are read or set: else whoever may write preferences could set anything here, such
as the command of a key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from llum.preferences_targets.target import MachineSetting, SettingPlace, SettingsTarget, same
from model.preferences.codex import Term

TargetTerms = Mapping[SettingPlace, Term]
"""The terms of the target's ontology."""
SettingsHere = Mapping[SettingPlace, MachineSetting]

LOCAL: Final = "it belongs to each machine, and does not travel"
UNKNOWN: Final = "llum does not know this setting"
ABSENT: Final = "this machine does not have it"
CHANGED: Final = "you have changed it since"


class SettingChange(msgspec.Struct, frozen=True):
    """A setting, as it is and as it will be: as values, and in words."""

    place: SettingPlace
    title: str
    old: Any
    new: Any
    old_words: str
    new_words: str
    was_set: bool = True
    """Whether the person had set what is old."""


class SkippedSetting(msgspec.Struct, frozen=True):
    """A setting that stays as it is."""

    place: SettingPlace
    title: str
    why: str


class SettingPlan(msgspec.Struct, frozen=True):
    """All that would be done."""

    changes: list[SettingChange]
    skipped: list[SkippedSetting]
    alike: int = 0
    """How many are so already."""


def to_capture(here: SettingsHere, known: TargetTerms, told: Mapping[str, Any], *, also_unset: bool) -> SettingPlan:
    """Plan to tell what the person has set here; with `also_unset` whatever is here. `told` are the preferences."""
    changes, skipped, alike = [], [], 0
    for place, setting in here.items():
        term, there = known.get(place), value_at(told, place)
        if term is None or not (setting.is_set or also_unset):
            continue
        if term.local:
            skipped.append(SkippedSetting(place, term.title, LOCAL))
        elif same(there, setting.value):
            alike += 1
        else:
            changes.append(_change(place, term, there, setting.value, there is not None))
    return SettingPlan(changes, skipped, alike)


def to_apply(wanted: Mapping[str, Any], here: SettingsHere, known: TargetTerms, target: SettingsTarget) -> SettingPlan:
    """Plan to set what a person prefers. What cannot be set is skipped, with the reason."""
    changes, skipped, alike = [], [], 0
    for place, value in settings_in(wanted):
        term, setting = known.get(place), here.get(place)
        why = _why_not(place, value, term, setting, target)
        if why is not None:
            skipped.append(SkippedSetting(place, place_text(place) if term is None else term.title, why))
        elif term is not None and setting is not None and not same(setting.value, value):
            changes.append(_change(place, term, setting.value, value, setting.is_set))
        else:
            alike += 1
    return SettingPlan(changes, skipped, alike)


def _change(place: SettingPlace, term: Term, old: Any, new: Any, was_set: bool) -> SettingChange:
    return SettingChange(place, term.title, old, new, in_words(old, term), in_words(new, term), was_set)


def _why_not(
    place: SettingPlace, value: Any, term: Term | None, setting: MachineSetting | None, target: SettingsTarget
) -> str | None:
    if term is None:
        return UNKNOWN
    if setting is None:
        return ABSENT
    if same(setting.value, value):
        return None
    return LOCAL if term.local else target.why_not(place, value)


def to_undo(applied: Sequence[SettingChange], here: SettingsHere) -> SettingPlan:
    """Plan to put back what was before, except where the person has set something else since."""
    changes, skipped, alike = [], [], 0
    for one in applied:
        setting = here.get(one.place)
        if setting is None:
            skipped.append(SkippedSetting(one.place, one.title, ABSENT))
        elif same(setting.value, one.old):
            alike += 1
        elif same(setting.value, one.new):
            changes.append(_turned(one))
        else:
            skipped.append(SkippedSetting(one.place, one.title, CHANGED))
    return SettingPlan(changes, skipped, alike)


def _turned(one: SettingChange) -> SettingChange:
    return msgspec.structs.replace(one, old=one.new, new=one.old, old_words=one.new_words, new_words=one.old_words)


def joined(earlier: Iterable[SettingChange], now: Iterable[SettingChange]) -> list[SettingChange]:
    """Give what an undo must know after two applies: what was before the first, where the person left that alone."""
    kept = {one.place: one for one in earlier}
    for one in now:
        before = kept.get(one.place)
        if before is not None and same(before.new, one.old):
            kept[one.place] = msgspec.structs.replace(
                one, old=before.old, old_words=before.old_words, was_set=before.was_set
            )
        else:
            kept[one.place] = one
    return [one for one in kept.values() if not same(one.old, one.new)]


def settings_in(tree: Mapping[str, Any], above: SettingPlace = ()) -> Iterator[tuple[SettingPlace, Any]]:
    """Give the settings of a set: what is no object with something in it."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from settings_in(value, (*above, name))
        else:
            yield (*above, name), value


def tree_of(settings: Iterable[tuple[SettingPlace, Any]]) -> dict[str, Any]:
    """Put settings together as a set has them."""
    tree: dict[str, Any] = {}
    for (*above, name), value in settings:
        inner = tree
        for segment in above:
            inner = inner.setdefault(segment, {})
        inner[name] = value
    return tree


def value_at(tree: Mapping[str, Any], place: SettingPlace) -> Any:
    """Give what a set has at a place; None: nothing."""
    value: Any = tree
    for segment in place:
        value = value.get(segment) if isinstance(value, dict) else None
    return value


def place_text(place: SettingPlace) -> str:
    """Write a place as people of this desktop do."""
    return " ".join(place)


def in_words(value: Any, term: Term) -> str:
    """Write a value as people say it: on, off, the label of a choice, a number with its unit, a text as it is."""
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "on" if value else "off"
    labels = dict(zip(map(str, term.schema.get("enum", ())), term.schema.get("enumLabels", ()), strict=False))
    if isinstance(value, str):
        return labels.get(value, value) or "nothing"
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return msgspec.json.encode(whole).decode() + (f" {term.unit}" if term.unit else "")
