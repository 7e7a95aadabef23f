"""What llum keeps on a disk is for the user that it runs as: folders have the mode 0700, files 0600.

Every process of llum begins with `be_private`, so what it makes is private whoever makes it: SQLite and nats-server,
too. What an earlier version has left open to others is found by `tighten`.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

OTHERS: Final = 0o077
"""The bits of a mode that let the group and all others in."""


class Tightened(NamedTuple):
    """What came of looking at folders and files that were there."""

    changed: tuple[Path, ...] = ()
    """They were open to others, and are no longer."""
    open: tuple[Path, ...] = ()
    """They are open to others, and it is not for us to change that: they are somebody else's, or shared by all."""


def be_private() -> None:
    """Let whatever this process and its children make be readable by their own user alone."""
    os.umask(OTHERS)


def tighten(folder: Path, below: Iterable[str]) -> Tightened:
    """Close a folder, and all that is in those entries of it, to others. What is not there is passed over.

    Only llum's own entries are to be named: a person may have put a folder of llum among other things.
    """
    changed: list[Path] = []
    still_open: list[Path] = []
    for path in (folder, *(path for name in below for path in _tree(folder / name))):
        closed = _close(path)
        if closed is not None:
            (changed if closed else still_open).append(path)
    return Tightened(tuple(changed), tuple(still_open))


def _tree(path: Path) -> Iterator[Path]:
    yield path
    for parent, folders, files in os.walk(path):
        yield from (Path(parent, name) for name in (*folders, *files))


def _close(path: Path) -> bool | None:
    """Close one to others; None if there was nothing to do, False if it cannot be done."""
    try:
        found = path.lstat()
        if not found.st_mode & OTHERS or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
            return None
        if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
    except FileNotFoundError:
        return None
    except OSError:
        return False
    return True
