"""The D-Bus back end against a private D-Bus daemon, with small real services in the place of a desktop's."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection

from sensors.activity.backends.wayland_logind import WaylandLogind
from sensors.errors import SensorError

MUTTER = "org.gnome.Mutter.IdleMonitor"
SCREENSAVER = "org.freedesktop.ScreenSaver"
KDE = "org.kde.screensaver"
LOGIN = "org.freedesktop.login1"
PROPERTIES = "org.freedesktop.DBus.Properties"

Answers = dict[tuple[str, str], tuple[str, tuple[Any, ...]]]
"""By interface and method: signature and body of the answer. May be changed while the service runs."""


class Service:
    """Owns names on the bus and answers calls."""

    def __init__(self, address: str, names: list[str], answers: Answers) -> None:
        self.answers = answers
        self._connection: DBusConnection = open_dbus_connection(address)
        for name in names:
            Proxy(message_bus, self._connection).RequestName(name)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._stopping = False
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._thread.join(30)
        self._connection.close()

    def _serve(self) -> None:
        while not self._stopping:
            try:
                message = self._connection.receive(timeout=0.05)
            except TimeoutError:
                continue
            if message.header.message_type is MessageType.method_call:
                self._connection.send(self._answer(message))

    def _answer(self, message: Any) -> Any:
        fields = message.header.fields
        answer = self.answers.get((fields[HeaderFields.interface], fields[HeaderFields.member]))
        if answer is None:
            return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")
        return new_method_return(message, *answer)


@pytest.fixture
def serve(dbus_address: str, monkeypatch) -> Iterator[Callable[..., Service]]:
    """Put services on a bus that serves as session and as system bus."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", dbus_address)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", dbus_address)
    services: list[Service] = []

    def start(names: list[str], answers: Answers) -> Service:
        services.append(Service(dbus_address, names, answers))
        return services[-1]

    yield start
    for service in services:
        service.stop()


@pytest.fixture
def backend() -> Iterator[WaylandLogind]:
    backend = WaylandLogind()
    yield backend
    backend.close()


def session(idle: bool, since: float, kind: str = "wayland") -> Answers:
    """What logind says of a session."""
    properties = {"IdleHint": ("b", idle), "IdleSinceHint": ("t", int(since * 1e6)), "Type": ("s", kind)}
    return {(PROPERTIES, "GetAll"): ("a{sv}", (properties,))}


def test_gnome_says_milliseconds(serve, backend):
    service = serve([MUTTER], {(MUTTER, "GetIdletime"): ("t", (2500,))})
    assert backend.idle_s() == 2.5
    service.answers[MUTTER, "GetIdletime"] = ("t", (40,))
    assert backend.idle_s() == 0.04


def test_a_screen_saver_says_seconds(serve, backend):
    serve([SCREENSAVER], {(SCREENSAVER, "GetSessionIdleTime"): ("u", (12,))})
    assert backend.idle_s() == 12


def test_the_screen_saver_of_kde_says_milliseconds(serve, backend):
    serve([SCREENSAVER, KDE], {(SCREENSAVER, "GetSessionIdleTime"): ("u", (12_000,))})
    assert backend.idle_s() == 12


def test_the_screen_saver_of_kde_that_cannot_measure_is_not_believed(serve, backend):
    answers = session(idle=False, since=0) | {(SCREENSAVER, "GetSessionIdleTime"): ("u", (0,))}
    serve([SCREENSAVER, KDE], answers)
    with pytest.raises(SensorError, match="does not measure"):
        backend.probe()


def test_logind_says_since_when_a_session_is_idle(serve, backend):
    serve([LOGIN], session(idle=True, since=time.time() - 100))
    assert 100 <= backend.idle_s() < 160


def test_logind_without_idle_hint_means_active(serve, backend):
    serve([LOGIN], session(idle=False, since=time.time() - 100))
    assert backend.idle_s() == 0


def test_of_a_text_console_logind_knows_the_last_input(serve, backend):
    serve([LOGIN], session(idle=False, since=time.time() - 100, kind="tty"))
    assert 100 <= backend.idle_s() < 160


def test_the_exact_source_is_asked_before_the_coarse_one(serve, backend):
    serve([LOGIN, MUTTER], session(idle=True, since=0) | {(MUTTER, "GetIdletime"): ("t", (1000,))})
    assert backend.idle_s() == 1


def test_a_service_that_goes_away_is_found_again_when_it_returns(serve, backend):
    answers: Answers = {(MUTTER, "GetIdletime"): ("t", (1000,))}
    service = serve([MUTTER], answers)
    backend.probe()
    service.stop()
    for _ in range(2):
        with pytest.raises(SensorError):
            backend.idle_s()
    serve([MUTTER], answers)
    assert backend.idle_s() == 1


def test_when_nobody_answers_each_source_is_named(serve, backend):
    with pytest.raises(SensorError) as caught:
        backend.probe()
    assert all(name in caught.value.message for name in ("mutter", "screensaver", "logind"))


@pytest.mark.parametrize("address", ["", "unix:path=/nonexistent", "tcp:host=localhost,port=1", "nonsense"])
def test_no_bus_is_a_clear_error(backend, monkeypatch, address):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
    with pytest.raises(SensorError, match="mutter"):
        backend.probe()
