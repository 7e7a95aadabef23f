"""What the attempts to connect tell: refused, undecided, or nobody there."""

import errno

import pytest

from bus import attempts
from bus.attempts import REFUSED_AFTER_S, SOON_S, ConnectAttempts
from bus.nats_py import nats

REFUSALS = [
    nats.errors.Error("nats: 'Authorization Violation'"),
    nats.errors.UnexpectedEOF(),
    ConnectionResetError(errno.ECONNRESET, "reset"),
]


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(attempts, "time", made)
    return made


def attempt(of: ConnectAttempts, clock: Clock, error: Exception, after_s: float = 0.01) -> None:
    of.shown()
    clock.now += after_s
    of.failed(error)


@pytest.mark.parametrize("error", REFUSALS)
async def test_whoever_is_refused_for_a_while_is_refused(clock: Clock, error: Exception) -> None:
    """The first refusal alone is not believed. It is said once."""
    said: list[str] = []
    of = ConnectAttempts(None, lambda: said.append("refused"))
    attempt(of, clock, error)
    assert (of.was_refused, of.is_refused) == (True, False)
    for _ in range(3):
        clock.now += REFUSED_AFTER_S
        attempt(of, clock, error)
    assert of.is_refused
    assert said == ["refused"]
    of.admitted()
    assert not of.is_refused


@pytest.mark.parametrize("error", [REFUSALS[0], TimeoutError()])
async def test_a_late_no_is_none(clock: Clock, error: Exception) -> None:
    """nats-server says the same words after two seconds in which nobody has decided."""
    of = ConnectAttempts(None, lambda: None)
    for _ in range(3):
        attempt(of, clock, error, SOON_S * 2)
    assert not of.is_refused
    assert of.is_undecided


async def test_a_server_that_is_away_refuses_nobody(clock: Clock) -> None:
    """And what is left of an earlier connection when it is closed tells nothing."""
    of = ConnectAttempts(None, lambda: None)
    attempt(of, clock, REFUSALS[0])
    clock.now += REFUSED_AFTER_S
    of.failed(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    attempt(of, clock, REFUSALS[0])
    assert not of.is_refused
    of.failed(ConnectionResetError(errno.ECONNRESET, "left over"))
    assert of.was_refused


async def test_waiting_is_of_no_use_when_nobody_decides() -> None:
    """As long as the first attempt has no end."""
    of = ConnectAttempts(0.01, lambda: None)
    of.shown()
    await of.hopeless.wait()
    assert of.is_undecided
