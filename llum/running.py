"""Where the llum that runs on a data folder answers: the file `run.json` in it says so."""

import os
from pathlib import Path
from typing import Final

import msgspec

from llum.failures import Fault

RUN_FILE: Final = "run.json"


class Running(msgspec.Struct, frozen=True):
    """Where a running llum answers, and which process it is."""

    http: str
    nats: str
    pid: int


def find(data_dir: Path) -> Running:
    """Find the llum that runs on a data folder, or raise a `Fault` that says how to start one."""
    try:
        running = msgspec.json.decode((data_dir / RUN_FILE).read_bytes(), type=Running)
        if _is_alive(running.pid):
            return running
    except PermissionError as error:
        hint = "Only the user that llum runs as may look into it: become that user."
        raise Fault(f"cannot look into {data_dir}: {error.strerror}", hint) from error
    except (OSError, msgspec.DecodeError):
        pass
    raise Fault(
        f"no llum is running on {data_dir}", "Start it with `llum up`, or name the data folder of one that runs."
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def browser_url(url: str) -> str:
    """Write the address of an llum on this machine by the machine's own name: browsers make no passkeys for numbers."""
    for address in ("://127.0.0.1", "://[::1]"):
        url = url.replace(address, "://localhost", 1)
    return url
