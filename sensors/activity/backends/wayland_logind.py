"""Wayland and logind, over D-Bus: GNOME's idle monitor, a screen saver's session idle time, or logind's idle hint.

Whichever answers first is asked from then on, the exact ones before the coarse one. logind knows only what the
desktop tells it, often after minutes: its idle time counts from the moment at which the desktop noticed.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from sensors import clock
from sensors.errors import SensorError

TIMEOUT_S: Final = 2.0
"""Seconds to wait for an answer over D-Bus: it is a service on this machine."""

SESSION: Final = "SESSION"
SYSTEM: Final = "SYSTEM"

_LOGIN: Final = "org.freedesktop.login1"
_LOGIN_SESSION: Final = "/org/freedesktop/login1/session/auto"
_SCREENSAVER: Final = "org.freedesktop.ScreenSaver"
_KDE_SCREENSAVER: Final = "org.kde.screensaver"
_MUTTER: Final = "org.gnome.Mutter.IdleMonitor"


class WaylandLogind:
    """Ask the desktop or logind. The bus's addresses come from the environment, as for any D-Bus program."""

    name = "wayland_logind"

    def __init__(self) -> None:
        self._connection: Any = None
        self._source: Callable[[Any], float] | None = None

    def probe(self) -> None:
        self.idle_s()

    def idle_s(self) -> float:
        if self._source is None:
            return self._first_answer()
        try:
            return self._source(self._connection)
        except _errors() as error:
            self.close()
            raise SensorError(f"D-Bus does not answer: {_reason(error)}") from error

    def close(self) -> None:
        connection, self._connection, self._source = self._connection, None, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _first_answer(self) -> float:
        why_not = []
        for bus, source in _SOURCES:
            try:
                self._connection = _connected(bus)
                idle_s = source(self._connection)
            except _errors() as error:
                self.close()
                why_not.append(f"{source.__name__.lstrip('_')}: {_reason(error)}")
            else:
                self._source = source
                return idle_s
        raise SensorError("; ".join(why_not))


def _mutter(connection: Any) -> float:
    (milliseconds,) = _call(connection, _MUTTER, "/org/gnome/Mutter/IdleMonitor/Core", _MUTTER, "GetIdletime")
    return int(milliseconds) / 1000


def _screensaver(connection: Any) -> float:
    (idle,) = _call(connection, _SCREENSAVER, "/org/freedesktop/ScreenSaver", _SCREENSAVER, "GetSessionIdleTime")
    if not _has_owner(connection, _KDE_SCREENSAVER):
        return float(idle)
    # KDE counts milliseconds, the others seconds. Where KDE cannot measure (on Wayland) it always says 0, which
    # would pass for a person who never rests.
    if idle == 0:
        raise SensorError("KDE's screen saver does not measure the idle time of this session")
    return int(idle) / 1000


def _logind(connection: Any) -> float:
    (pairs,) = _call(
        connection, _LOGIN, _LOGIN_SESSION, "org.freedesktop.DBus.Properties", "GetAll", f"{_LOGIN}.Session"
    )
    session = {name: value for name, (_, value) in pairs.items()}
    # Of a text console logind knows the last input itself; of a desktop only the hint and when that last changed.
    if not session["IdleHint"] and session.get("Type") != "tty":
        return 0.0
    return max(clock.now() - int(session["IdleSinceHint"]) / 1e6, 0.0)


_SOURCES: Final = ((SESSION, _mutter), (SESSION, _screensaver), (SYSTEM, _logind))


def _connected(bus: str) -> Any:
    from jeepney.io.blocking import open_dbus_connection

    if bus == SESSION and not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        raise SensorError("DBUS_SESSION_BUS_ADDRESS is not set")
    return open_dbus_connection(bus)


def _call(connection: Any, service: str, path: str, interface: str, method: str, *arguments: str) -> Any:
    from jeepney import DBusAddress, new_method_call
    from jeepney.wrappers import unwrap_msg

    call = new_method_call(
        DBusAddress(path, bus_name=service, interface=interface), method, "s" * len(arguments) or None, arguments
    )
    return unwrap_msg(connection.send_and_get_reply(call, timeout=TIMEOUT_S))


def _has_owner(connection: Any, name: str) -> bool:
    service = "org.freedesktop.DBus"
    (owned,) = _call(connection, service, "/org/freedesktop/DBus", service, "NameHasOwner", name)
    return bool(owned)


def _errors() -> tuple[type[Exception], ...]:
    try:
        from jeepney import DBusErrorResponse
        from jeepney.auth import AuthenticationError
    except ImportError as missing:
        raise SensorError("the package jeepney is not installed", "install it: pip install jeepney") from missing
    return (
        DBusErrorResponse,
        AuthenticationError,
        OSError,
        SensorError,
        RuntimeError,
        LookupError,
        ValueError,
        TypeError,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, SensorError):
        return error.message
    name = getattr(error, "name", None)
    return str(name or error or type(error).__name__)
