"""Which token is shown at each attempt to connect, and when the next one takes its place."""

import asyncio
from collections.abc import Callable

import pytest

from bus import showing as under_test
from bus.showing import ExpiringToken, Showing
from tests.waiting import until

SIGN_IN = "0" * 16 + "." + "1" * 32
OTHER = "2" * 16 + "." + "1" * 32


NOW = 1_790_000_000.0


class StoppedClock:
    """So that no token expires while the machine is busy."""

    @staticmethod
    def time() -> float:
        return NOW


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "time", StoppedClock)


def token(secret: str, sign_in: str = SIGN_IN) -> str:
    return f"llum_{secret}.{sign_in}"


async def test_a_token_is_renewed_before_it_expires_if_there_is_a_next_one() -> None:
    """It is looked for again and again until then: the one who refreshes it may be late."""
    asked, renewed = [0], asyncio.Event()
    expires = NOW + 0.4

    def give() -> ExpiringToken:
        asked[0] += 1
        return ExpiringToken(token("b"), expires + 3600) if asked[0] > 4 else ExpiringToken(token("a"), expires)

    showing = Showing(give, renewed.set)
    assert showing() == token("a")
    await renewed.wait()
    assert showing() == token("b")
    showing.end()


async def test_a_token_that_does_not_say_when_it_ends_is_shown_as_it_is() -> None:
    """Nothing is planned for it; a function is asked at each attempt."""
    given = iter([token("a"), token("b"), token("c")])
    renewed: list[None] = []
    showing = Showing(lambda: next(given), lambda: renewed.append(None))
    assert [showing(), showing()] == [token("b"), token("c")]
    assert Showing(token("a"), lambda: renewed.append(None))() == token("a")
    assert not renewed


async def test_a_function_that_fails_ends_nothing() -> None:
    """The attempt is refused, and the next one may succeed."""
    failing = [False]

    def give() -> str:
        if failing[0]:
            raise OSError("no such file")
        return token("a")

    showing = Showing(give, lambda: None)
    failing[0] = True
    assert showing() == ""
    failing[0] = False
    assert showing() == token("a")


async def test_a_token_of_another_sign_in_is_not_shown() -> None:
    """Its answers would come to an inbox that nobody listens to."""
    given = [token("a")]
    showing = Showing(lambda: given[0], lambda: None)
    given[0] = token("b", OTHER)
    assert showing() == ""
    given[0] = token("c")
    assert showing() == token("c")


async def test_nothing_is_renewed_after_the_end() -> None:
    """The timer goes with the connection."""
    renewed: list[str] = []
    ended = Showing(_soon_over(), lambda: renewed.append("ended"))
    other = Showing(_soon_over(), lambda: renewed.append("other"))
    for showing in (ended, other):
        showing()
    ended.end()
    await until(lambda: renewed, "the other one is renewed")
    assert renewed == ["other"]
    other.end()


def _soon_over() -> Callable[[], ExpiringToken]:
    first = ExpiringToken(token("a"), NOW + 0.2)
    given = iter([first, first])
    return lambda: next(given, ExpiringToken(token("b"), NOW + 3600))
