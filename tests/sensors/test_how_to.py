"""The how-to's sensor works as printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.system.harness import Llum
from tests.waiting import DEADLINE_S

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-sensor.md"


def test_the_sensor_of_the_how_to_tells_three_times(tmp_path):
    """Installed as the page says, with a token of its own."""
    page = HOW_TO.read_text()
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "disk_sensor.py").write_text(source)
    typed = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    llum = Llum(tmp_path)
    try:
        llum.start()
        llum.command("admin", "person", "add", "alice")
        llum.sign_in("alice")
        script = "\n".join(["set -e", *typed]).replace("nats://127.0.0.1:4222", llum.bus)
        path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
        shown = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=DEADLINE_S, cwd=tmp_path,
            env=os.environ | llum.environment | {"PATH": path},
        )  # fmt: skip
        kept = json.loads(llum.command("ask", "alice", "Devices/disk_full", "--evidence", "--json").stdout)
    finally:
        llum.clean_up()
    assert shown.returncode == 0, shown.stderr
    assert "0 messages wait for the next start\n" in shown.stdout
    evidence = kept["evidence"]
    assert [one["source"] for one in evidence] == ["disk_sensor"] * 3
    assert shown.stdout.splitlines()[-1] == str(kept["value"])
