"""What is counted from the lines of the log."""

from collections.abc import Iterator

import pytest

from bus import lines
from bus.lines import Line, LoggedAsk, LoggedCaughtUp, LoggedCommand, LoggedRequest
from bus.spread import Spread
from llum.metrics.counted_lines import ASK_MS, NO_FACE, EdgeLines, WorkerLines


def command(code: str = "accepted", user: str = "alice", repeated: bool = False) -> LoggedCommand:
    return LoggedCommand(user=user, app="a", verb="tell", id="1", seq=1, code=code, repeated=repeated)


def ask(code: str = "answered", user: str = "alice", duration_ms: float = 0.1) -> LoggedAsk:
    return LoggedAsk(user=user, app="a", verb="ask", code=code, components=1, seq=1, duration_ms=duration_ms)


def request(route: str | None, status: int, code: str | None = None) -> LoggedRequest:
    return LoggedRequest(
        request_id="r",
        method="GET",
        route=route,
        status=status,
        user="alice",
        app="a",
        op=None,
        code=code,
        duration_ms=2.0,
        bytes=10,
    )


@pytest.fixture
def written() -> Iterator[list[Line]]:
    """Take the lines that are written."""
    taken: list[Line] = []
    lines.lead(taken.append)
    yield taken
    lines.lead()


def test_what_is_shown_is_written_too(written: list[Line]) -> None:
    """Whoever counts the lines takes none away."""
    shown: list[Line] = []
    lines.show(shown.append)
    lines.write(command())
    lines.write(ask())
    assert shown == written
    assert len(shown) == 2


def test_commands_and_asks_are_counted_by_what_became_of_them() -> None:
    """Repeats are among them; those that were caught up with come many at a time."""
    counted = WorkerLines()
    for line in (command(), command("bad_path"), command("bad_path", repeated=True), ask(), ask("no_such_model")):
        counted.take(line)
    counted.take(LoggedCaughtUp(partition=3, count=500, seq=700))
    assert counted.commands == {"accepted": 1, "bad_path": 2, "internal": 0, "unavailable": 0}
    assert counted.repeated == 1
    assert counted.caught_up == 500
    assert counted.asks == {"answered": 1, "no_such_model": 1, "internal": 0, "unavailable": 0}


def test_the_time_of_asks_is_spread() -> None:
    """One that took as long as a bound lies up to it."""
    counted, same = WorkerLines(), Spread(ASK_MS)
    for duration_ms in (0.01, 0.1, 0.3, 2000, 9000):
        counted.take(ask(duration_ms=duration_ms))
        same.note(duration_ms)
    assert (counted.ask_ms.counts, counted.ask_ms.total) == (same.counts, same.total)


def test_pings_and_probes_of_llum_itself_do_not_count() -> None:
    """They are about nobody, and there are many of them."""
    counted = WorkerLines()
    counted.take(ask(user="_"))
    counted.take(command("unknown_verb", user="_"))
    assert set(counted.asks.values()) | set(counted.commands.values()) == {0}


def test_requests_are_counted_by_face_and_class() -> None:
    """What has no route is of no face."""
    counted = EdgeLines({("GET", "/ask"): "personis"})
    for line in (request("/ask", 200), request("/ask", 204), request("/ask", 503, "unavailable"), request(None, 404)):
        counted.take(line)
    assert counted.requests == {"personis": [0, 0, 2, 0, 0, 1], NO_FACE: [0, 0, 0, 0, 1, 0]}
    assert counted.refusals == {"internal": 0, "unavailable": 1}
    assert counted.request_s["personis"].total == pytest.approx(0.006)
