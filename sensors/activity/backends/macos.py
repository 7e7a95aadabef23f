"""macOS: the registry of devices knows the nanoseconds since the last input; `ioreg` shows it."""

import re
import subprocess
from typing import Final

from sensors.errors import SensorError

COMMAND: Final = ("/usr/sbin/ioreg", "-c", "IOHIDSystem", "-d", "4")

TIMEOUT_S: Final = 5.0
"""Seconds that `ioreg` may take; it usually takes some hundredths of one."""

_IDLE_TIME = re.compile(r'"HIDIdleTime"\s*=\s*(\d+)')


class MacOS:
    """Ask `ioreg`."""

    name = "macos"

    def probe(self) -> None:
        self.idle_s()

    def idle_s(self) -> float:
        try:
            shown = subprocess.run(  # noqa: S603 - a constant
                COMMAND, capture_output=True, check=True, text=True, timeout=TIMEOUT_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SensorError(f"ioreg does not work: {error}", "the macos back end needs macOS") from error
        return idle_s_of(shown.stdout)

    def close(self) -> None:
        """Nothing is kept open."""


def idle_s_of(shown: str) -> float:
    """Read what `ioreg` has shown. Raises `SensorError` if the idle time is not in it."""
    match = _IDLE_TIME.search(shown)
    if match is None:
        raise SensorError("ioreg shows no HIDIdleTime")
    return int(match[1]) / 1e9
