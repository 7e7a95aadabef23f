"""Paths as they are given to the SDK: text with `/` between the segments, or a list of them."""

from collections.abc import Sequence

from schemas.errors import Code, Refusal
from schemas.paths import Path, check_path, parse_path

PathLike = str | Sequence[str]


def segments_of(path: PathLike) -> Path:
    """Give the segments, or raise `bad_path`."""
    return parse_path(path) if isinstance(path, str) else check_path(list(path), "path")


def parted(path: PathLike) -> tuple[list[str], str]:
    """Give the context and the name of what is in it, or raise `bad_path`."""
    segments = segments_of(path)
    if not segments:
        raise Refusal(Code.BAD_PATH, "the path names the root, not a component", "path")
    return list(segments[:-1]), segments[-1]
