"""X11: the screen saver extension of the X server knows when the last key or mouse event was."""

from contextlib import suppress
from typing import Any, Final

from sensors.errors import SensorError

EXTENSION: Final = "MIT-SCREEN-SAVER"


class X11:
    """Ask an X server; by default the one that DISPLAY names. One that goes away is connected to again."""

    name = "x11"

    def __init__(self, display: str | None = None) -> None:
        self._display_name = display
        self._display: Any = None

    def probe(self) -> None:
        self.idle_s()

    def idle_s(self) -> float:
        errors = _errors()
        try:
            milliseconds: int = self._connected().screen().root.screensaver_query_info().idle
        except errors as error:
            self.close()
            raise SensorError(
                f"the X server does not answer: {error}", "see that DISPLAY names a running one"
            ) from error
        return milliseconds / 1000

    def close(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            with suppress(*_errors()):
                display.close()

    def _connected(self) -> Any:
        from Xlib.display import Display

        if self._display is None:
            display = Display(self._display_name)
            if not display.has_extension(EXTENSION):
                display.close()
                raise SensorError(f"the X server lacks the extension {EXTENSION}")
            self._display = display
        return self._display


def _errors() -> tuple[type[Exception], ...]:
    try:
        from Xlib import error
    except ImportError as missing:
        raise SensorError(
            "the package python-xlib is not installed", "install it: pip install python-xlib"
        ) from missing
    return (
        error.DisplayError,
        error.ConnectionClosedError,
        error.XauthError,
        error.XError,
        error.ResourceIDError,
        OSError,
    )
