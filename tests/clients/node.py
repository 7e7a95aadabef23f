"""Clients that others wrote for Node: installed once for each lock file, outside the sources."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.programs import lacking, need

HERE = Path(__file__).parent
WITHIN_S = 180
"""Seconds that an installation may take."""


def node_modules() -> Path:
    """Give the folder of the installed packages, or end the test where they cannot be had."""
    npm, _ = need("npm"), need("node")
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llum-test-clients"
    folder = cache / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # several tests may start at once
        if not (folder / "installed").exists():
            _install(npm, folder)
    return folder / "node_modules"


def _install(npm: str, folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    if ran.returncode:
        lacking(f"npm cannot install the clients: {ran.stderr[-300:]}")
    (folder / "installed").touch()
