"""log-llum as a process, as `llum example log-llum` starts it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.system.harness import Llum, until


@contextmanager
def running_log_llum(llum: Llum) -> Iterator[str]:
    """Start it beside a llum, and give where it is for people. It registers itself, as the operator may."""
    output = llum.folder / "log-llum.log"
    command = [*llum.program, "example", "log-llum", "--port", "0"]
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=llum.folder, env=llum.environment, stdout=file, stderr=file)

    def where() -> re.Match[str] | None:
        assert process.poll() is None, output.read_text()
        return re.search(r"log-llum is at (\S+),", output.read_text())

    try:
        yield str(until(where, "log-llum says where it is")[1])
    finally:
        process.terminate()
        process.wait()
