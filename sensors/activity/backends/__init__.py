"""Back ends: ways to learn for how long nobody has touched keyboard or mouse. One file each, all of one shape.

A back end imports what it needs of its platform only when it is used. None invents a value: whatever keeps it from
knowing is a `SensorError`, and the next call tries afresh.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from sensors.activity.backends.macos import MacOS
from sensors.activity.backends.wayland_logind import WaylandLogind
from sensors.activity.backends.windows import Windows
from sensors.activity.backends.x11 import X11
from sensors.errors import SensorError


class Backend(Protocol):
    """May block; is called by one thread at a time, not always the same."""

    name: str

    def probe(self) -> None:
        """Return if `idle_s` works here and now. Raises `SensorError` that says why not."""

    def idle_s(self) -> float:
        """Give the seconds since the last input. Raises `SensorError`; may work again the next time."""

    def close(self) -> None:
        """Let go of connections. A later call of `idle_s` opens them again."""


BACKENDS: Final[dict[str, Callable[[], Backend]]] = {
    "x11": X11,
    "wayland_logind": WaylandLogind,
    "macos": MacOS,
    "windows": Windows,
}

_PLATFORMS: Final = {"x11": "linux", "wayland_logind": "linux", "macos": "darwin", "windows": "win32"}

XWAYLAND: Final = "this is a Wayland session, whose X server sees only part of the input"


def choose(name: str = "auto", environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Backend:
    """Give the first back end that works here, or the named one. Raises `SensorError` that says why none does."""
    if name != "auto":
        return _named(name)
    why_not = dict.fromkeys(BACKENDS, "")
    for candidate in BACKENDS:
        why_not[candidate] = _unsuitable(candidate, environ, platform)
        if why_not[candidate]:
            continue
        backend = BACKENDS[candidate]()
        try:
            backend.probe()
        except SensorError as error:
            backend.close()
            why_not[candidate] = error.message
        else:
            return backend
    raise SensorError(
        "no way to see activity works here",
        "Run the sensor inside the person's desktop session (DISPLAY or DBUS_SESSION_BUS_ADDRESS set).",
        [f"{key}: {why}" for key, why in why_not.items()],
    )


def _named(name: str) -> Backend:
    if name not in BACKENDS:
        raise SensorError(f"there is no back end {name[:64]!r}", f"use auto, {', '.join(BACKENDS)}")
    backend = BACKENDS[name]()
    try:
        backend.probe()
    except SensorError as error:
        backend.close()
        raise SensorError(f"the back end {name} does not work here: {error.message}", error.hint) from error
    return backend


def _unsuitable(name: str, environ: Mapping[str, str], platform: str) -> str:
    if _PLATFORMS[name] != platform:
        return f"not on {platform}"
    if name == "x11" and (environ.get("WAYLAND_DISPLAY") or environ.get("XDG_SESSION_TYPE") == "wayland"):
        return XWAYLAND
    return ""
