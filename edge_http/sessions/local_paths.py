"""Where somebody is sent back to: a path of this llum, and never another site."""

import re
from typing import Final
from urllib.parse import urlencode

HOME: Final = "/"

MAX_PATH_CHARACTERS: Final = 2000
"""Characters of such a path: what is longer than browsers' addresses is not one of ours."""

_LOCAL: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A slash that is followed by no second one, be it written backwards: browsers read that as the name of a host."""


def path_with(path: str, then: str) -> str:
    """Give the address of a page from which one goes on to another path of ours."""
    return path if then == HOME else f"{path}?{urlencode({'then': then})}"


def local_path(text: str | None) -> str:
    """Give a path of this llum: the one that is asked for, or else the way in."""
    if text is None or len(text) > MAX_PATH_CHARACTERS or not _LOCAL.fullmatch(text):
        return HOME
    return text
