"""Ways from one ontology to another over as few mappings as possible.

Of two ways of the same length the one over the ontology with the lower number counts. Ontologies have numbers in the
order in which the edges name them. The very first one gets a new number where it is named again, and so comes after the
second: existing installations number them like this, and a set must read the same here.
"""

from collections.abc import Sequence
from functools import cached_property

Edge = tuple[str, str]


class Routes:
    """All shortest ways along directed edges (Floyd-Warshall: a few ontologies, all ways at once)."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self._edges = edges

    def between(self, start: str, end: str) -> tuple[str, ...]:
        """Give the way, both ends included. Empty if there is none, or if an end is unknown."""
        if start == end:
            return (start,) if any(start in edge for edge in self._edges) else ()
        way = [start]
        while way[-1] != end:
            following = self._next.get((way[-1], end))
            if following is None:
                return ()
            way.append(following)
        return tuple(way)

    @cached_property
    def _next(self) -> dict[Edge, str]:
        """Say for each pair where to go first."""
        lengths = dict.fromkeys(self._edges, 1)
        following = {edge: edge[1] for edge in self._edges}
        vertices = _numbered(self._edges)
        far = len(vertices) + 1
        for over in vertices:
            for start in vertices:
                for end in vertices:
                    length = lengths.get((start, over), far) + lengths.get((over, end), far)
                    if start != end and length < lengths.get((start, end), far):
                        lengths[start, end] = length
                        following[start, end] = following[start, over]
        return following


def _numbered(edges: Sequence[Edge]) -> list[str]:
    """Give the vertices in the order of their numbers."""
    named = [vertex for edge in edges for vertex in edge]
    vertices = list(dict.fromkeys(named))
    if vertices and (again := _named_again(named)):
        known = len(set(named[:again]))
        vertices.insert(known - 1, vertices.pop(0))
    return vertices


def _named_again(named: list[str]) -> int:
    """Say where the first one is named for the second time, or 0."""
    return next((at for at, vertex in enumerate(named) if at and vertex == named[0]), 0)
