"""One desktop for each test: a session of its own, which takes a tenth of a second."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop import Desktop, desktop_in


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    """Run the session, and let what this process starts be in it."""
    with desktop_in(tmp_path) as session:
        for name, value in session.environment.items():
            monkeypatch.setenv(name, value)
        yield session
