"""The port: what can be read and set on this machine. A place is the segments of a setting in the target's ontology."""

import importlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

SettingPlace = tuple[str, ...]


class MachineSetting(NamedTuple):
    """A setting as it is here. Values are those of JSON."""

    value: Any
    default: Any
    """What it would be if the person had set nothing."""

    @property
    def is_set(self) -> bool:
        """Tell whether the person has changed it: whether they have set it to what it is anyway nobody can see."""
        return not same(self.value, self.default)


class NotTaken(Exception):  # noqa: N818 - no error of llum: one setting stays as it is, the others go on
    """A setting was not set; the text says why."""


class SettingsTarget(Protocol):
    """Something with settings. What keeps all of it from being read or set is a `Fault`."""

    title: str
    """What people call it."""
    view: str
    """Its ontology."""

    def read(self) -> Mapping[SettingPlace, MachineSetting]:
        """Give the settings that this machine has. Those of a kind that llum does not read are left out."""

    def why_not(self, place: SettingPlace, value: Any) -> str | None:
        """Say why a setting that is there cannot be set to this value; None: it can."""

    def put(self, place: SettingPlace, value: Any) -> None:
        """Set it. Raises `NotTaken`."""

    def reset(self, place: SettingPlace) -> None:
        """Let it be as if the person had never set it. Raises `NotTaken`."""


_TARGETS: Final = {"gnome": "llum.preferences_targets.gnome:Gnome"}

NAMES: Final = tuple(_TARGETS)


def target_named(name: str) -> SettingsTarget:
    """Give one of `NAMES`."""
    module, kind = _TARGETS[name].split(":")
    return cast("SettingsTarget", getattr(importlib.import_module(module), kind)())


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: `true` is not 1, and 1 is 1.0."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
