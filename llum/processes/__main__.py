"""`python -m llum.processes edge 5`: a child of `llum up`, on the lifeline with that number."""

import gc
import importlib
import os
import socket
import sys
import threading
from typing import Final

from bus.lean import modules_alone
from bus.private_files import be_private
from llum.processes.early import import_lean

THREADS_END_WITHIN_S: Final = 5.0
"""Seconds that threads of SQLite and the like may go on when all else has ended."""


def main() -> int:
    """Import what the child needs, then learn its settings, and run until a signal."""
    be_private()
    name, descriptor = sys.argv[1:]
    import_lean()
    from llum.processes.lifeline import ChildEnd, die_with_parent

    die_with_parent()
    line = ChildEnd(socket.socket(fileno=int(descriptor)))
    # What is imported stays: nothing of it is garbage, now or later.
    gc.disable()
    modules_alone("aiohttp")
    run = importlib.import_module(f"llum.processes.{name}").run_child
    gc.freeze()
    gc.enable()
    try:
        code = int(run(line))
    except EOFError:
        code = 1
    _end_for_sure(code)
    return code


def _end_for_sure(code: int) -> None:
    """Let no thread keep a process that has ended: one that waits for a disk, say."""
    timer = threading.Timer(THREADS_END_WITHIN_S, os._exit, [code])
    timer.daemon = True
    timer.start()


sys.exit(main())
