"""The how-to's sensor works as printed."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from tests.nats_server import installed_server
from tests.sensors.reading import logged_commands, values
from tests.waiting import DEADLINE_S

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-sensor.md"


async def test_the_sensor_of_the_how_to_tells_three_times(tmp_path):
    (source,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    program = tmp_path / "disk_sensor.py"
    program.write_text(source)
    async with installed_server(tmp_path / "bus", 4, 1) as server:
        command = [sys.executable, program, "alice", server.url_as("operator"), tmp_path / "spool"]
        shown = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=DEADLINE_S, cwd=HOW_TO.parents[2]
        )
        commands = await logged_commands(server.url_as("operator"))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.endswith("0 messages wait for the next start\n")
    assert [app for app, _ in commands] == ["disk_sensor"] * 4
    assert len(values([command for _, command in commands])) == 3
