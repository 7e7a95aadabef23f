"""Counts commands, asks and requests. Each has one line in the log (`bus.lines`): so nothing else has to count them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from bus.lines import Line, LoggedAsk, LoggedCaughtUp, LoggedCommand, LoggedRequest
from bus.spread import Spread
from schemas.errors import Code

ASK_MS: Final = (0.1, 0.25, 1, 5, 25, 100, 500, 2500)
"""Bounds of the milliseconds of asks: most are answered from memory, some wait for the disk, few for a command."""

REQUEST_S: Final = (0.001, 0.0025, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0)

NO_FACE: Final = "none"

_NOBODY: Final = "_"
"""Whom llum's own probes and pings are about: they would hide what people and apps do."""


class WorkerLines:
    """Counts the lines of a worker."""

    def __init__(self) -> None:
        self.commands: defaultdict[str, int] = _codes("accepted")
        """By what became of them."""
        self.repeated = 0
        self.caught_up = 0
        self.asks: defaultdict[str, int] = _codes("answered")
        self.ask_ms = Spread(ASK_MS)

    def take(self, line: Line) -> None:
        """Count a line. This is done for every command and ask."""
        if isinstance(line, LoggedAsk):
            if line.user != _NOBODY:
                self.asks[line.code] += 1
                # As `Spread.note` does.
                spread, duration_ms = self.ask_ms, line.duration_ms
                spread.counts[bisect_left(spread.bounds, duration_ms)] += 1
                spread.total += duration_ms
        elif isinstance(line, LoggedCommand):
            if line.user != _NOBODY:
                self.commands[line.code] += 1
                if line.repeated:
                    self.repeated += 1
        elif isinstance(line, LoggedCaughtUp):
            self.caught_up += line.count


class EdgeLines:
    """Counts the lines of an edge. `faces` are those of its routes, by method and path."""

    def __init__(self, faces: Mapping[tuple[str, str], str]) -> None:
        self._faces = faces
        names = sorted({NO_FACE, *faces.values()})
        self.requests: dict[str, list[int]] = {name: [0] * 6 for name in names}
        """By face; of each, by the first digit of the status."""
        self.request_s = {name: Spread(REQUEST_S) for name in names}
        self.refusals: defaultdict[str, int] = _codes()

    def take(self, line: Line) -> None:
        """Count a line. This is done for every request."""
        if not isinstance(line, LoggedRequest):
            return
        face = self._faces.get((line.method, line.route or ""), NO_FACE)
        self.requests[face][line.status // 100] += 1
        self.request_s[face].note(line.duration_ms / 1000)
        if line.code is not None:
            self.refusals[line.code] += 1


def _codes(*more: str) -> defaultdict[str, int]:
    """Count from 0 what alerts look at: what first appears as 1 has not grown, for Prometheus."""
    return defaultdict(int, dict.fromkeys([*more, Code.INTERNAL.value, Code.UNAVAILABLE.value], 0))
