"""The compose file: of the form that compose wants, with commands that can be typed, and a script that works."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bus.nats_process import find_binary
from llum.settings import SETTINGS, variable
from tests.deploy.tools import DEPLOY, assert_typed_well

FILE = DEPLOY / "compose" / "compose.yml"
CONTENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = CONTENT["services"]
PROGRAMS = Path(sys.executable).parent

each_service = pytest.mark.parametrize("name", SERVICES)


def test_it_has_the_form_that_compose_wants() -> None:
    """The schema of the compose specification, as check-jsonschema ships it."""
    check = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    said = subprocess.run(check, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_there_are_three_servers_two_workers_and_two_edges() -> None:
    """And what prepares them."""
    kinds = [name.rpartition("-")[0] or name for name in SERVICES]
    assert [kinds.count(kind) for kind in ("nats", "worker", "edge", "configuration", "installation")] == [
        3,
        2,
        2,
        1,
        1,
    ]


@each_service
def test_a_service_is_shut_in(name: str) -> None:
    """Nothing but its volumes can be written, and no ports are open to other machines."""
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@each_service
def test_a_service_names_what_there_is(name: str) -> None:
    """Volumes, services it waits for and how, settings. Two writers share no folder but that of the secrets."""
    service = SERVICES[name]
    mounted = [volume.split(":")[0] for volume in service["volumes"]]
    assert set(mounted) <= set(CONTENT["volumes"])
    others = {volume.split(":")[0] for each, one in SERVICES.items() if each != name for volume in one["volumes"]}
    assert others & set(mounted) == {"secrets"}
    for other, how in service.get("depends_on", {}).items():
        has_check = "healthcheck" in SERVICES[other] and not SERVICES[other]["healthcheck"].get("disable")
        assert how["condition"] == ("service_healthy" if has_check else "service_completed_successfully")
    known = {variable(setting) for setting in SETTINGS}
    assert set(service.get("environment", {})) <= known


@each_service
def test_a_service_runs_what_can_be_typed(name: str) -> None:
    """As the command of the image, or as its health check."""
    service = SERVICES[name]
    if "entrypoint" not in service:
        assert_typed_well(["llum", *service["command"]])
    check = service.get("healthcheck", {}).get("test", [])
    if check[1:2] == ["llum"]:
        assert_typed_well(check[1:])


def test_the_script_makes_what_the_servers_are_started_with(tmp_path: Path) -> None:
    """Run as it stands, with another folder. It may run again: the passwords stay the same."""
    [script] = SERVICES["configuration"]["command"]
    script = script.replace("$$", "$").replace("/etc/llum", str(tmp_path))
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "LLUM_CREDENTIALS": str(tmp_path / "credentials.json")}
    for _ in range(2):
        command = [*SERVICES["configuration"]["entrypoint"], script]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    started = [one["command"][1] for one in SERVICES.values() if one.get("entrypoint") == ["nats-server"]]
    for file in (tmp_path / Path(place).name for place in started):
        tried = subprocess.run([find_binary(), "-t", "-c", str(file)], capture_output=True, text=True, check=False)
        assert tried.returncode == 0, tried.stderr
        assert file.stat().st_mode & 0o077 == 0
