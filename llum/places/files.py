"""Names of files that are in a backup, or beside one."""

from collections.abc import Callable
from typing import Final

MANIFEST_FILE: Final = "manifest.json"
"""What a backup says of itself. It is written last: where it is, there is a backup."""

FORGOTTEN_FILE: Final = "forgotten.jsonl"
"""The list of forgotten people, in a data folder and beside a backup (`llum.places.forgotten_files`)."""

OnProgress = Callable[[str], None]
"""Takes a line that says how far it has got."""
