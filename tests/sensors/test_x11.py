"""The X11 back end against a real X server, with real key and mouse events."""

import time

import pytest

from sensors.activity.backends.x11 import X11
from sensors.activity.sampler import Sampler
from sensors.errors import SensorError
from tests.waiting import DEADLINE_S

ROUNDING_S = 0.1
"""What an X server's milliseconds and two readings of a clock may differ by."""


@pytest.fixture
def backend(x_server):
    backend = X11(x_server.display)
    yield backend
    backend.close()


async def test_idle_time_grows_until_a_key_is_pressed(x_server, backend, until):
    await until(lambda: backend.idle_s() > 0.5, "half a second without input")
    began = time.monotonic()
    x_server.press("a")
    assert backend.idle_s() <= time.monotonic() - began + ROUNDING_S


async def test_the_mouse_counts_too(x_server, backend, until):
    await until(lambda: backend.idle_s() > 0.5, "half a second without input")
    began = time.monotonic()
    x_server.move_mouse(30, 40)
    assert backend.idle_s() <= time.monotonic() - began + ROUNDING_S


def test_the_display_is_the_one_of_the_environment_if_none_is_named(x_server, monkeypatch):
    monkeypatch.setenv("DISPLAY", x_server.display)
    X11().probe()


@pytest.mark.parametrize("display", ["", ":54321", "nonsense"])
def test_no_x_server_is_a_clear_error(display):
    with pytest.raises(SensorError, match="X server does not answer"):
        X11(display).probe()


def test_an_x_server_that_goes_away_is_found_again_when_it_returns(x_server, backend):
    backend.probe()
    x_server.stop()
    for _ in range(2):
        with pytest.raises(SensorError):
            backend.idle_s()
    x_server.start()
    assert backend.idle_s() >= 0


async def test_a_frozen_x_server_is_waited_for_a_bounded_time(x_server, backend, until):
    sampler = Sampler(backend, timeout_s=0.2)
    backend.probe()
    x_server.freeze()
    with pytest.raises(SensorError, match="did not answer"):
        await sampler.sample()
    x_server.thaw()
    await until(lambda: not sampler._thread.is_alive(), "the X server answers")
    sampler._timeout_s = DEADLINE_S
    assert (await sampler.sample()).idle_s >= 0
