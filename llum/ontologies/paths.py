"""What a path in a file about an ontology may be."""

import re
from typing import Final

from model.preferences.paths import segments_of
from schemas.errors import Refusal
from schemas.paths import check_path

_HALF_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/.]*", re.ASCII)
"""What is left of a URL up to its first dot."""


def mistake_in_path(path: str) -> str | None:
    """Say what is wrong with a path to a setting, and what to do. None: nothing."""
    segments = segments_of(path)
    if not segments:
        return "the path is empty: name the setting"
    if (len(path) - len(path.rstrip("\\"))) % 2:
        return r"the path ends in a backslash that escapes nothing: leave it out, or write \\ for a backslash"
    if not all(segments):
        return "the path has a dot too many: there is no name on one side of it"
    if len(segments) > 1 and _HALF_URL.fullmatch(segments[0]):
        return r"the dots of the URL part it into names: write \\. for each dot that belongs to a name"
    try:
        check_path(segments, "path")
    except Refusal as refusal:
        return f"{refusal.message}: {refusal.hint or 'give the setting another name'}"
    return None
