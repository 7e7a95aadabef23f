"""What holds for all tests."""

import functools
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test's logging reach into another: loggers are not cached, and what a test sets up ends with it."""
    uncached = functools.partial(_configure_uncached, structlog.configure)
    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _configure_uncached(configure: object, **settings: object) -> None:
    configure(**settings | {"cache_logger_on_first_use": False})  # type: ignore[operator]
