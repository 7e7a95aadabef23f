"""Windows: GetLastInputInfo gives the system's tick at the last input of this session."""

import ctypes
import sys
from typing import Final

from sensors.errors import SensorError

TICKS: Final = 1 << 32
"""The tick counts milliseconds in 32 bits: after 49.7 days it starts from 0 again."""


class _LastInputInfo(ctypes.Structure):
    _fields_ = [("cbSize", ctypes.c_uint32), ("dwTime", ctypes.c_uint32)]


class Windows:
    """Ask user32."""

    name = "windows"

    def probe(self) -> None:
        self.idle_s()

    def idle_s(self) -> float:
        last, now = _ticks()
        return idle_s_between(last, now)

    def close(self) -> None:
        """Nothing is kept open."""


def idle_s_between(last: int, now: int) -> float:
    """Give the seconds between two ticks, the counter's wrapping taken into account."""
    return (now - last) % TICKS / 1000


if sys.platform == "win32":

    def _ticks() -> tuple[int, int]:
        info = _LastInputInfo(ctypes.sizeof(_LastInputInfo), 0)
        if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(info)):
            raise SensorError("GetLastInputInfo fails", "run the sensor inside the person's desktop session")
        return info.dwTime, ctypes.windll.kernel32.GetTickCount() % TICKS

else:

    def _ticks() -> tuple[int, int]:
        raise SensorError("the windows back end needs Windows")
