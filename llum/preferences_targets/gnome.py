"""GNOME, through the program `gsettings`: so it is set as GNOME itself would, whatever stores the settings."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from llum.failures import Fault
from llum.preferences_targets import gvariant
from llum.preferences_targets.target import MachineSetting, NotTaken, SettingPlace, same

_PROGRAM: Final = "gsettings"
_WITHIN_S: Final = 30.0

_TYPES: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "b": (bool, "on or off"),
    **dict.fromkeys("ynqiuxt", (int, "a whole number")),
    "d": ((int, float), "a number"),
    "s": (str, "a text"),
    "as": (list, "a list"),
}
"""By the types of GVariant: what a value must be."""


class Gnome:
    """The settings of whoever runs this."""

    title = "GNOME"
    view = "gsettings"

    def read(self) -> Mapping[SettingPlace, MachineSetting]:
        now = self._listed()
        with _nothing_set() as environment:
            defaults = self._listed(**environment)
        return {place: MachineSetting(value, defaults[place]) for place, value in now.items() if place in defaults}

    def why_not(self, place: SettingPlace, value: Any) -> str | None:
        if _said("writable", *place) != "true":
            return "this machine's administrator has fixed it"
        kind, *allowed = _said("range", *place).splitlines()
        return _why_unfit(value, kind.split(), allowed)

    def put(self, place: SettingPlace, value: Any) -> None:
        self._do("set", *place, gvariant.written(value))
        self._check(place, value)

    def reset(self, place: SettingPlace) -> None:
        self._do("reset", *place)
        with _nothing_set() as environment:
            default = gvariant.read(_said("get", *place, **environment))
        self._check(place, default)

    def _do(self, *words: str) -> None:
        done = _run(words)
        if done.returncode != 0:
            raise NotTaken(" ".join(done.stderr.split()) or f"gsettings ended with {done.returncode}")

    def _check(self, place: SettingPlace, value: Any) -> None:
        """See that a setting is stored. Where nothing can be, gsettings ends as if it were, and may not even warn."""
        if not same(gvariant.read(_said("get", *place)), value):
            hint = "Run this in a terminal of the desktop: without its D-Bus session nothing is stored."
            raise Fault(f"GNOME has not stored the setting {' '.join(place)}", hint)

    def _listed(self, **environment: str) -> dict[SettingPlace, Any]:
        return dict(_values(_said("list-recursively", **environment)))


@contextmanager
def _nothing_set() -> Iterator[dict[str, str]]:
    """Give the environment of somebody who has set nothing: what the machine's administrator has set is as it is."""
    with tempfile.TemporaryDirectory(prefix="llum-") as empty:
        yield {"XDG_CONFIG_HOME": empty}


def _values(listing: str) -> Iterator[tuple[SettingPlace, Any]]:
    for line in listing.splitlines():
        schema, key, text = line.split(" ", 2)
        try:
            yield (schema, key), gvariant.read(text)
        except ValueError:
            continue  # of a kind that JSON has not


def _why_unfit(value: Any, kind: list[str], allowed: list[str]) -> str | None:
    """Compare a value with what `gsettings range` says: `type b`, `range d 0.5 3.0`, or `enum` and then its values."""
    if kind[0] in ("enum", "flags"):
        can_be = [gvariant.read(text) for text in allowed]
        chosen = value if kind[0] == "flags" and isinstance(value, list) else [value]
        return None if all(one in can_be for one in chosen) else f"it can be {', '.join(map(str, can_be))}"
    wanted, words = _TYPES.get(kind[1], ((), "of another kind"))
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(whole, wanted) or (isinstance(value, bool) and wanted is not bool):
        return f"it is {words} here"
    if kind[0] == "range" and not float(kind[2]) <= value <= float(kind[3]):
        return f"it goes from {kind[2]} to {kind[3]} here"
    return None


def _said(*words: str, **environment: str) -> str:
    done = _run(words, **environment)
    if done.returncode != 0:
        hint = "Run `gsettings list-recursively` to see whether it works here."
        raise Fault(f"gsettings failed: {' '.join(done.stderr.split())[:200]}", hint)
    return done.stdout.strip()


def _run(words: tuple[str, ...], **environment: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - no shell reads the words, and their first is ours
            [_PROGRAM, *words],
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=_WITHIN_S,
            check=False,
        )
    except FileNotFoundError as error:
        hint = "It comes with GNOME; the package is libglib2.0-bin on Debian and Ubuntu, glib2 elsewhere."
        raise Fault("there is no program gsettings on this machine", hint) from error
    except subprocess.TimeoutExpired as error:
        raise Fault(f"gsettings has not answered within {_WITHIN_S:g} s", "See whether the desktop runs.") from error
