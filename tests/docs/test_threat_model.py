"""What the page of threats claims is shown by tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "threat-model.md"


def test_every_test_that_is_named_exists() -> None:
    """By file and by name."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE.read_text())
    assert len(named) > 30
    for file, name in named:
        text = (ROOT / file).read_text()
        assert not name or re.search(rf"def {name}\(", text), f"{file} has no {name}"


def test_every_threat_has_a_test() -> None:
    """A row without one would be a promise."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "shown by" not in line]
    assert all("`tests/" in row.rsplit("|", 2)[1] for row in rows)
