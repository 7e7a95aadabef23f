"""Where lines of the log go."""

import subprocess
import sys

PROGRAM = "from bus.logger import get_logger; get_logger('llum.bus').warning('bus.disconnected'); print('my result')"


def test_what_a_program_prints_is_its_own() -> None:
    """A library writes nothing between: whoever has not set up a log finds llum's lines beside it, on stderr."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "my result\n"
    assert "bus.disconnected" in ran.stderr
