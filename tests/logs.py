"""What is logged during a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bus import logger
from bus.logger import LEVEL_NAMES


@contextmanager
def capture_logs() -> Iterator[list[dict[str, Any]]]:
    """Have what is logged as long as the block lasts, one dict for each line, and write none of it."""
    lines: list[dict[str, Any]] = []
    before = logger.lead(lambda level, line: lines.append({**line, "level": LEVEL_NAMES[level]}))
    try:
        yield lines
    finally:
        logger.lead(before)
