"""Whom a worker takes to be listened for, and for how long."""

import time
from typing import cast

import pytest

from actors.listeners import Listeners
from bus.connection import Bus
from schemas.events import LISTENED_FOR_S


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_who_is_not_noted_again_is_forgotten_by_a_sweep_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each note looks at one person alone, however many there are: they are swept once in as long as a note holds."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    listeners = Listeners(cast(Bus, None))

    def note(user: str) -> None:
        listeners._note(f"llum.listening.{user}".encode(), b"", b"", b"")

    note("alice")
    clock.now += LISTENED_FOR_S - 1
    note("bob")
    assert listeners.is_for("alice")
    clock.now += 2
    note("bob")
    assert set(listeners.until) == {"bob"}, "the first sweep"
    clock.now += 1
    listeners.until["carol"] = clock.now - 1
    note("bob")
    assert set(listeners.until) == {"bob", "carol"}, "the next one is not due"
    assert not listeners.is_for("carol")
    listeners.until["dave"] = clock.now
    clock.now += LISTENED_FOR_S + 1
    note("bob")
    assert set(listeners.until) == {"bob"}
