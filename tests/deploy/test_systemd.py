"""What `deploy/systemd/` has systemd run: commands that there are, in units that systemd takes, in a sandbox."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from bus.nats_process import find_binary
from tests.deploy.tools import DEPLOY, assert_typed_well, tool

FOLDER = DEPLOY / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
EXPOSURE = 15
"""Tenths on systemd's scale, from 0 to 100: above 20 it says no more than "ok". The units have 14."""

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


def command_of(unit: Path) -> list[str]:
    (line,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    return shlex.split(line.removeprefix("ExecStart="))


def test_each_process_has_a_unit() -> None:
    """One for each that runs by itself, and one target for all."""
    assert [unit.stem for unit in UNITS] == ["llum-callout@", "llum-edge", "llum-nats", "llum-worker"]
    assert all("WantedBy=llum.target" in unit.read_text() for unit in UNITS)


@each_unit
def test_a_unit_runs_a_command_that_can_be_typed(unit: Path) -> None:
    """With options that it knows."""
    command = command_of(unit)
    if command[0] == "llum":
        assert_typed_well(command)
    else:
        assert command == ["nats-server", "-c", "/etc/nats/nats-server.conf"]


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, once it is told where the programs are."""
    analyze = tool("systemd-analyze", "systemd")
    programs = {"llum": shutil.which("true"), "nats-server": find_binary()}
    files = [tmp_path / file.name for file in [*UNITS, FOLDER / "llum.target"]]
    for file in files:
        placed = re.sub(
            r"^ExecStart=(\S+)", lambda found: f"ExecStart={programs[found[1]]}", _text(file.name), flags=re.M
        )
        file.write_text(placed)
    # A template is looked at as one of what it makes.
    shown = [str(file).replace("@.", "@1.") for file in files]
    said = subprocess.run([analyze, "verify", "--man=false", *shown], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def _text(name: str) -> str:
    return (FOLDER / name).read_text()


@each_unit
def test_a_unit_is_in_a_sandbox(unit: Path) -> None:
    """As tight as systemd counts it."""
    command = [tool("systemd-analyze", "systemd"), "security", "--offline=true", f"--threshold={EXPOSURE}", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-400:]
