"""A few of many texts, for people."""

from collections.abc import Iterable


def several(texts: Iterable[str], limit: int) -> list[str]:
    """Give the first texts in their order, each once, and say how many more there are."""
    ordered = sorted(set(texts))
    more = len(ordered) - limit
    return [*ordered[:limit], f"and {more} more"] if more > 0 else ordered
