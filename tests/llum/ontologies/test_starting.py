"""An operator's ontologies are checked before llum starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MISTAKEN = '{"ontology": "mine",\n "titel": "Mine",\n "terms": {"a..b": {"title": "A", "description": "What it is."}}}'


@pytest.mark.parametrize("name", ["a.json", "missing"])
def test_llum_does_not_start_with_mistakes(tmp_path: Path, name: str) -> None:
    """It says on stderr what is wrong, and leaves nothing behind."""
    folder = tmp_path / "ontologies"
    if name == "a.json":
        folder.mkdir()
        (folder / name).write_text(MISTAKEN)
    environment = os.environ | {"LLUM_ONTOLOGIES": str(folder), "LLUM_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "llum", "up", "--http-port", "0", "--nats-port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()
        == {
            "missing": [
                f"llum: cannot read {folder}: No such file or directory. The setting ontologies names this folder.",
            ],
            "a.json": [
                "llum: one mistake in files about ontologies:",
                f"{folder}/a.json:2:2: the format has no member 'titel' here: mend its name, or leave it out",
            ],
        }[name]
    )
    assert not (tmp_path / "data").exists()
