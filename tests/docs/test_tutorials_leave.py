"""What the tutorials leave in a clone disturbs nobody who works there.

Method: a copy of this clone, with every file that a page has its reader write, then `make check` in it.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPED = re.compile(r"^\$ cat > (\S+) <<'END'\n((?:> .*\n|>\n)*?)> END$", re.MULTILINE)
SAVED = re.compile(r"[Ss]ave (?:it|this) as `(\S+)`.*?```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def written_by_readers() -> dict[str, str]:
    """Give the files that the pages have their readers write, by name."""
    found: dict[str, str] = {}
    for page in PAGES:
        text = page.read_text()
        for name, lines in TYPED.findall(text):
            found[name] = "".join(line[2:] for line in lines.splitlines(keepends=True))
        found |= dict(SAVED.findall(text))
    return found


def copied(folder: Path) -> Path:
    """Copy what git knows of this clone, and what it would take; `.venv` is shared, as is what mypy knows already."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def test_the_pages_have_their_readers_write_files() -> None:
    """Else the test below would look at nothing."""
    assert written_by_readers().keys() >= {"step_counter.py", "disk_sensor.py", "at_desk.py"}


@pytest.mark.long
def test_the_checks_pass_after_the_tutorials(tmp_path: Path) -> None:
    """`make check` in a clone in which somebody has followed every page."""
    clone = copied(tmp_path)
    for name, content in written_by_readers().items():
        (clone / name).write_text(content)
    (clone / "diary.llum").write_text("{}")
    cache = os.environ | {"MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")}
    # The .venv is this clone's: the copy must not make it anew, which would have it import the copy.
    check = ["make", "check", "--assume-old=.venv/.made-from-lock"]
    checked = subprocess.run(check, cwd=clone, env=cache, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
