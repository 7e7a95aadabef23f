"""The manifests: of the form that Kubernetes wants, shut in, probed, and with commands that can be typed."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bus.nats_process import find_binary
from llum.settings import SETTINGS, Settings, variable
from llum.settings_loading import load
from tests.deploy.tools import DEPLOY, assert_typed_well

FOLDER = DEPLOY / "kubernetes"
PAGE = DEPLOY.parent / "docs" / "how-to" / "run-on-kubernetes.md"
VERSIONS = ("1.30", "1.33", "1.37")
"""Of Kubernetes, from the oldest that the page names to the newest whose schemas there are."""

Object = dict[str, Any]


def objects(*patterns: str) -> Iterator[Object]:
    for pattern in patterns:
        for file in sorted(FOLDER.glob(pattern)):
            yield from yaml.safe_load_all(file.read_text())


ALL = list(objects("*.yaml", "*.example"))
WORKLOADS = [one for one in ALL if one["kind"] in ("StatefulSet", "Deployment", "Job")]


def name_of(one: Object) -> str:
    return f"{one['kind']}-{one['metadata']['name']}"


def pod_of(workload: Object) -> Object:
    found: Object = workload["spec"]["template"]["spec"]
    return found


def labels_of(workload: Object) -> dict[str, str]:
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def of_kind(kind: str) -> dict[str, Object]:
    return {one["metadata"]["name"]: one for one in ALL if one["kind"] == kind}


each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("one", ALL, ids=name_of)
def test_it_has_the_form_that_kubernetes_wants(one: Object, version: str) -> None:
    """Its schemas, without a member that it does not know."""
    kubernetes_validate.validate(one, version, strict=True)
    if one["kind"] != "Namespace":
        assert one["metadata"]["namespace"] == "llum"


@each_workload
def test_a_pod_is_shut_in(workload: Object) -> None:
    """As the namespace demands, and tighter: no token of Kubernetes, no variables of its services, nothing to write."""
    pod = pod_of(workload)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        shut = container["securityContext"]
        assert shut["capabilities"] == {"drop": ["ALL"]}
        assert shut["readOnlyRootFilesystem"]
        assert not shut["allowPrivilegeEscalation"]
        assert "memory" in container["resources"]["limits"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])


@each_workload
def test_a_pod_uses_what_there_is(workload: Object) -> None:
    """Its volumes, secrets and settings; the image is that of this version."""
    pod = pod_of(workload)
    claimed = [one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", [])]
    volumes = {one["name"]: one for one in pod["volumes"]}
    version = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["version"]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["image"] == f"llum:{version}"
        assert {one["name"] for one in container["volumeMounts"]} <= {*volumes, *claimed}
        assert {one["configMapRef"]["name"] for one in container.get("envFrom", [])} <= set(of_kind("ConfigMap"))
    wanted = {one["secret"]["secretName"] for one in volumes.values() if "secret" in one}
    optional = {one["secret"]["secretName"] for one in volumes.values() if one.get("secret", {}).get("optional")}
    assert wanted - optional <= set(of_kind("Secret"))


@each_workload
def test_a_pod_runs_what_can_be_typed(workload: Object) -> None:
    """As the command of the image, or as a probe."""
    (container,) = pod_of(workload)["containers"]
    if "args" in container:
        assert_typed_well(["llum", *container["args"]])
    else:
        assert container["command"][0] == "nats-server"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if "exec" in container.get(probe, {}):
            assert_typed_well(container[probe]["exec"]["command"])


@pytest.mark.parametrize("workload", [one for one in WORKLOADS if one["kind"] != "Job"], ids=name_of)
def test_a_service_lasts(workload: Object) -> None:
    """It is selected by what is meant for it, spread over nodes, probed, and not moved all at once."""
    name, labels = workload["metadata"]["name"], labels_of(workload)
    pod, selector = pod_of(workload), workload["spec"]["selector"]["matchLabels"]
    assert selector.items() <= labels.items()
    budget = of_kind("PodDisruptionBudget")[name]["spec"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert budget["maxUnavailable"] < workload["spec"]["replicas"]
    assert of_kind("Service")[name]["spec"]["selector"].items() <= labels.items()
    assert pod["affinity"]["podAntiAffinity"]
    (container,) = pod["containers"]
    assert "readinessProbe" in container
    ports = {port["name"] for port in container.get("ports", [])}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container.get(probe, {}).get("httpGet", {}).get("port") in {None, *ports}


def test_policies_are_about_pods_that_there_are() -> None:
    """A label that nobody has would let nobody in, and no test on a cluster without a plug-in would tell."""
    names = {labels_of(one)["app.kubernetes.io/name"] for one in WORKLOADS}
    text = (FOLDER / "network-policy.yaml").read_text()
    assert set(re.findall(r"kubernetes\.io/name: ([\w-]+)", text)) <= names
    assert {name for values in re.findall(r"values: \[(.*)\]", text) for name in values.split(", ")} <= names


def test_the_settings_are_llums(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are known, and are as llum reads them."""
    data: dict[str, str] = of_kind("ConfigMap")["llum-settings"]["data"]
    assert set(data) <= {variable(name) for name in SETTINGS}
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    assert isinstance(load(), Settings)
    hosts = [f"nats-{at}.nats" for at in range(of_kind("StatefulSet")["nats"]["spec"]["replicas"])]
    assert data["LLUM_NATS_URL"] == ",".join(f"nats://{host}:4222" for host in hosts)


def test_the_commands_of_the_page_make_the_secrets(tmp_path: Path) -> None:
    """Run as printed, with a kubectl that notes what it is told. nats-server reads what is made for each pod."""
    (script,) = [block for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S) if "nats-config" in block]
    noted = tmp_path / "noted"
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {noted}\n')
    kubectl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["/bin/sh", "-euc", script]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = {
        words.split()[5]: re.findall(r"--from-file=(\S+)", words)
        for words in noted.read_text().splitlines()
        if "secret" in words
    }
    assert made == {name: list(secret["stringData"]) for name, secret in of_kind("Secret").items()}
    assert json.loads((tmp_path / "credentials.json").read_bytes())["routes"]
    for name in made["nats-configuration"]:
        tried = subprocess.run(
            [find_binary(), "-t", "-c", str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        assert tried.returncode == 0, tried.stderr
        assert f'server_name: "{Path(name).stem}"' in (tmp_path / name).read_text()
