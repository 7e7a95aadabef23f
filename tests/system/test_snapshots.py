"""Snapshots as an operator sees them: listed, made at once, verified; and a data folder that has lost its shards."""

import json
import shutil
from typing import Any

from tests.system.harness import Llum

ANNA = "anna-4f1c"


def listed(llum: Llum, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(llum.run("admin", "snapshots", *options, "--json"))["snapshots"]
    return found


def test_an_operator_makes_lists_and_verifies_snapshots(installation: Llum) -> None:
    """Of the partitions that have something. What they hold is there again when all shards are gone."""
    llum = installation
    llum.start()
    assert "no snapshots" in llum.run("admin", "snapshots")
    llum.run("admin", "person", "add", ANNA, "--first-name", "Anna")
    made = json.loads(llum.run("admin", "snapshot", "--json"))["made"]
    (new,) = [one for one in made if one["new"]]
    assert f"partition {new['partition']}" not in llum.run("admin", "snapshot", str(new["partition"]))
    (one,) = listed(llum, "--verify")
    assert (one["manifest"], one.get("why_not"), one["verified"]) == (new["manifest"], None, True)
    assert "good" in llum.run("admin", "snapshots", "--verify")
    llum.stop()
    shutil.rmtree(llum.data_dir / "shards")
    llum.start()
    assert llum.run("ask", ANNA, "Personal/firstname") == '"Anna"'
    llum.run("admin", "person", "forget", ANNA, "--yes")
    assert [one for one in listed(llum) if one["name"].startswith(f"{new['partition']}-")] == []


def test_a_partition_that_nobody_has_is_told(installation: Llum) -> None:
    """In one line, with exit code 1."""
    llum = installation
    llum.start()
    done = llum.command("admin", "snapshot", "4000")
    assert done.returncode == 1
    assert "no worker serves it" in done.stderr
