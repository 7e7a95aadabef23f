"""What holds for all tests."""

import functools
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from bus import lines
from tests.effort import EFFORT, SAME_CHANCE, STORMS
from tests.memory_disk import prefer_memory

# No deadline: how long an example takes says something about the machine, and nothing about llum.
settings.register_profile("llum", deadline=None, max_examples=100 * EFFORT, print_blob=True, derandomize=SAME_CHANCE)
settings.load_profile("llum")

LONGEST = (
    "bench/test_soak.py",
    "actors/test_replay.py",
    "model/preferences/test_laws.py",
    "actors/test_causes_crashes.py",
    "actors/test_evidence_behind.py",
    "actors/test_effects_crashes.py",
    "system/test_storm.py",
    "system/test_forgotten_backups.py",
    "system/test_cutting.py",
)
"""Files that take minutes with `make test-long`. They begin first: one that begins last holds up the end."""

prefer_memory()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, in their order; the others stay as they are."""
    places = {Path(__file__).parent / file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what the tests make, and not, each time, at ten thousand tests."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a storm as often as is wanted."""
    if STORMS > 1 and metafunc.definition.get_closest_marker("storm"):
        metafunc.fixturenames.append("storm")
        metafunc.parametrize("storm", range(STORMS))


@pytest.fixture(autouse=True)
def _logs_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test's logging reach into another: loggers are not cached, and what a test sets up ends with it."""
    uncached = functools.partial(_configure_uncached, structlog.configure)
    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()
    lines.lead()
    structlog.contextvars.clear_contextvars()


def _configure_uncached(configure: object, **settings: object) -> None:
    configure(**settings | {"cache_logger_on_first_use": False})  # type: ignore[operator]
