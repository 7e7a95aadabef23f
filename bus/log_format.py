"""The format of the log: which commands are in it. A llum serves no log of another format than its own.

The format is recorded twice. The installation's bucket has it, for everyone who can see the bucket. A file of the data
folder has it too: from another account of a nats-server nothing of JetStream is seen, so an old log would look like
none.

1   verbs such as `mkmodel`; neither bucket nor file names a format
2   verbs are words, such as `make_model`
3   names in one spelling (NFC), kept names of members, rights by verb; an id says one thing only
4   withdrawing evidence withdraws what followed from it; schedules by people's clocks; part of a model can be forgotten
5   accounts of nats-server: everybody but llum itself is in an account of their own
6   decisions of owners about apps
"""

import os
from pathlib import Path
from typing import Final

from bus.errors import InstallationError

LOG_FORMAT: Final = 6
"""The format that this llum writes and reads."""

UNRECORDED: Final = 1
"""The format of whatever does not say which one it has."""

FORMAT_FILE: Final = "format"
"""Its name in the data folder. It holds the number alone."""


def claim_folder(data_dir: Path) -> None:
    """Record the format in a new data folder, or check it in an old one, which is left as it is.

    Call this before anything is written there: a crash then leaves a marked folder without data, never data without
    the mark.

    Raises `InstallationError` when the folder has another format, `OSError` when it cannot be written.
    """
    file = data_dir / FORMAT_FILE
    found: int | None
    try:
        found = _number(file.read_text("utf-8"))
    except FileNotFoundError:
        found = UNRECORDED if _holds_data(data_dir) else None
    if found is None:
        _write(file)
    else:
        check_format(found, str(data_dir))


def check_format(found: int, where: str) -> None:
    """Raise `InstallationError` when the log at `where` has another format than this llum's."""
    if found != LOG_FORMAT:
        raise InstallationError(
            f"{where} holds a log of format {found or 'unknown'}, this llum needs format {LOG_FORMAT}",
            "Export each person with the llum that wrote it (`llum admin person export`) and import them into a new "
            "one (`llum admin person import`), or start with a new folder (`--data-dir`)",
        )


def _number(text: str) -> int:
    """Read the file's number; 0 stands for what is none."""
    return int(text) if text.strip().isdecimal() else 0


def _holds_data(data_dir: Path) -> bool:
    """Tell whether a llum has written a log or shards there."""
    stored = (data_dir / "nats" / "jetstream").rglob("*")
    return any(path.is_file() for path in stored) or any((data_dir / "shards").glob("*.db"))


def _write(file: Path) -> None:
    """Write the file so that it is there whole or not at all: two processes may do so at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(f"{LOG_FORMAT}\n", "utf-8")
    fresh.replace(file)
