"""What an edge tells."""

from collections.abc import Iterator

from bus import lines
from bus.connection import Bus
from edge_http.http.connections import Places
from edge_http.http.faces import Faces
from llum.metrics.counted_lines import EdgeLines
from llum.metrics.values import MetricValue, by_code, of_any

CLASSES = range(1, 6)
"""Of statuses."""


class EdgeMetrics:
    """Counts the lines of an edge from now on."""

    def __init__(self, bus: Bus, partitions: int, faces: Faces, places: Places) -> None:
        self._bus = bus
        self._partitions = partitions
        self._places = places
        self._lines = EdgeLines(faces)
        lines.show(self._lines.take)

    async def read(self) -> list[MetricValue]:
        """Give all that it tells now."""
        connections = MetricValue("llum_http_connections", len(self._places))
        return [*of_any(self._bus, self._partitions), *_of_lines(self._lines), connections]


def _of_lines(counted: EdgeLines) -> Iterator[MetricValue]:
    for face, counts in counted.requests.items():
        for number in CLASSES:
            yield MetricValue("llum_http_requests_total", counts[number], (face, f"{number}xx"))
        yield MetricValue("llum_http_request_seconds", counted.request_s[face], (face,))
    yield from by_code("llum_http_refusals_total", counted.refusals)
