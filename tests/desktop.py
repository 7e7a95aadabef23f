"""A D-Bus session with GNOME's settings in it, and nothing of the desktop of whoever runs the tests."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.programs import lacking, need
from tests.waiting import DEADLINE_S

_SCHEMA = "org.gnome.desktop.interface"


class Desktop:
    """What the programs of one session share: their environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self._program = need("gsettings")
        if self.gsettings("writable", _SCHEMA, "text-scaling-factor").strip() != "true":
            lacking("GNOME's schemas of settings are not installed: run deploy/install-debian-packages.sh")

    def gsettings(self, *words: str) -> str:
        done = subprocess.run(
            [self._program, *words],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        return done.stdout

    def set(self, schema: str, key: str, text: str) -> None:
        """Set a setting as the person does; and see that it is stored."""
        self.gsettings("set", schema, key, text)
        assert self.gsettings("get", schema, key).split()[-1] == text

    def all(self) -> dict[str, str]:
        """Give every setting of this machine."""
        lines = [line.split(" ", 2) for line in self.gsettings("list-recursively").splitlines()]
        return {f"{schema} {key}": text for schema, key, text in lines}


@contextlib.contextmanager
def desktop_in(folder: Path) -> Iterator[Desktop]:
    """Run a session whose settings are in the folder."""
    places = {"XDG_CONFIG_HOME": "config", "XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "state"}
    environment = {name: str(folder / place) for name, place in places.items()}
    for place in environment.values():
        Path(place).mkdir(mode=0o700, parents=True, exist_ok=True)
    address = f"unix:path={folder}/bus"
    command = [need("dbus-daemon"), "--session", "--nofork", f"--address={address}", "--print-address=1"]
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = process.stdout.readline().strip()
        yield Desktop(environment | {"DBUS_SESSION_BUS_ADDRESS": found, "GSETTINGS_BACKEND": "dconf"})
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
