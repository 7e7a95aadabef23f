"""`python -m llum.processes edge 5`: a child of `llum up`, on the lifeline with that number."""

import gc
import importlib
import socket
import sys

from llum.processes.early import import_lean


def main() -> int:
    """Import what the child needs, then learn its settings, and run until a signal."""
    name, descriptor = sys.argv[1:]
    import_lean()
    from llum.processes.lifeline import ChildEnd, die_with_parent

    die_with_parent()
    line = ChildEnd(socket.socket(fileno=int(descriptor)))
    # What is imported stays: nothing of it is garbage, now or later.
    gc.disable()
    run = importlib.import_module(f"llum.processes.{name}").run_child
    gc.freeze()
    gc.enable()
    try:
        return int(run(line))
    except EOFError:
        return 1


sys.exit(main())
