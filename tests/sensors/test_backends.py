"""Back ends are chosen by looking; one that does not work says why."""

import asyncio
import subprocess
import sys
import threading

import pytest

from sensors.activity import backends
from sensors.activity.backends import choose, macos, windows
from sensors.activity.sampler import Sampler
from sensors.errors import SensorError
from tests.waiting import DEADLINE_S


class FakeBackend:
    def __init__(self, name: str, trouble: str = "") -> None:
        self.name = name
        self.trouble = trouble
        self.closed = False

    def probe(self) -> None:
        self.idle_s()

    def idle_s(self) -> float:
        if self.trouble:
            raise SensorError(self.trouble)
        return 1.5

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fakes(monkeypatch) -> dict[str, FakeBackend]:
    made = {name: FakeBackend(name) for name in backends.BACKENDS}
    monkeypatch.setattr(backends, "BACKENDS", {name: lambda it=it: it for name, it in made.items()})
    return made


def test_the_first_that_works_is_chosen(fakes):
    assert choose(environ={}, platform="linux") is fakes["x11"]
    fakes["x11"].trouble = "no display"
    assert choose(environ={}, platform="linux") is fakes["wayland_logind"]
    assert fakes["x11"].closed


@pytest.mark.parametrize("environ", [{"WAYLAND_DISPLAY": "wayland-0"}, {"XDG_SESSION_TYPE": "wayland"}])
def test_the_x_server_of_a_wayland_session_is_not_believed(fakes, environ):
    assert choose(environ=environ, platform="linux") is fakes["wayland_logind"]


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macos"), ("win32", "windows")])
def test_other_systems_have_their_own(fakes, platform, name):
    assert choose(environ={}, platform=platform) is fakes[name]


def test_when_none_works_the_error_says_why_each_does_not_and_what_to_do(fakes):
    for name, fake in fakes.items():
        fake.trouble = f"trouble of {name}"
    with pytest.raises(SensorError) as caught:
        choose(environ={}, platform="linux")
    ways = caught.value.details
    assert "x11: trouble of x11" in ways
    assert "wayland_logind: trouble of wayland_logind" in ways
    assert "macos: not on linux" in ways
    assert caught.value.hint


def test_a_named_back_end_that_does_not_work_is_an_error_not_another_one(fakes):
    fakes["x11"].trouble = "no display"
    with pytest.raises(SensorError, match="x11 does not work here: no display"):
        choose("x11", environ={}, platform="linux")


def test_an_unknown_name_is_answered_with_the_known_ones(fakes):
    with pytest.raises(SensorError, match="wayland_logind"):
        choose("telepathy")


def test_libraries_of_a_platform_are_not_imported_before_they_are_used():
    program = "import sys, sensors.activity.backends; print([it for it in sys.modules if it in ('Xlib', 'jeepney')])"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=DEADLINE_S
    )
    assert shown.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform == "darwin", reason="works there")
def test_macos_elsewhere_says_so():
    with pytest.raises(SensorError, match="ioreg"):
        macos.MacOS().probe()


def test_macos_reads_nanoseconds():
    shown = '    | |   "HIDIdleTime" = 2500000000\n    | |   "HIDKeyboardModifierMappingPairs" = ()\n'
    assert macos.idle_s_of(shown) == 2.5
    with pytest.raises(SensorError):
        macos.idle_s_of("nothing of the kind")


@pytest.mark.skipif(sys.platform == "win32", reason="works there")
def test_windows_elsewhere_says_so():
    with pytest.raises(SensorError, match="Windows"):
        windows.Windows().probe()


def test_windows_counts_on_when_the_tick_starts_again():
    assert windows.idle_s_between(last=1000, now=3500) == 2.5
    assert windows.idle_s_between(last=windows.TICKS - 1000, now=1500) == 2.5


async def test_a_back_end_that_hangs_is_an_error_and_works_again_when_it_answers(until):
    """The sampler waits a bounded time, starts no second thread meanwhile, and goes on afterwards."""
    answers = threading.Event()

    class Hanging(FakeBackend):
        calls = 0

        def idle_s(self) -> float:
            self.calls += 1
            answers.wait(DEADLINE_S)
            return 2.0

    backend = Hanging("it")
    sampler = Sampler(backend, timeout_s=0.01)
    with pytest.raises(SensorError, match="did not answer"):
        await sampler.sample()
    with pytest.raises(SensorError, match="hangs"):
        await sampler.sample()
    assert backend.calls == 1
    answers.set()
    sampler._timeout_s = DEADLINE_S
    await until(lambda: not sampler._thread.is_alive(), "the thread ends")
    assert (await sampler.sample()).idle_s == 2.0


async def test_a_fault_in_a_back_end_reaches_the_caller():
    class Broken(FakeBackend):
        def idle_s(self) -> float:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(Sampler(Broken("it")).sample(), DEADLINE_S)
