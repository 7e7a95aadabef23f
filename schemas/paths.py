"""Paths: lists of segments, and their one-string form.

A segment is a name (`schemas.names`) of 1 to 256 characters, except `.` and `..`. In one string segments stand between
`/`, and inside a segment `~` is written `~0` and `/` is written `~1` (as in RFC 6901).
"""

import re

from schemas.errors import Code, Refusal
from schemas.limits import MAX_PATH_SEGMENTS, MAX_SEGMENT_CHARACTERS
from schemas.names import check_seen

Path = tuple[str, ...]

_TOKEN = re.compile(r"[a-z0-9_-]{1,64}")


def check_segment(segment: str, field: str) -> str:
    """Return the segment in NFC, or raise `bad_path` naming the field."""
    if not segment or segment in (".", ".."):
        raise Refusal(Code.BAD_PATH, f"{segment!r} cannot be a name", field, "use any other text that is not empty")
    if len(segment) > MAX_SEGMENT_CHARACTERS:
        raise Refusal(Code.BAD_PATH, f"a name has {len(segment)} characters, at most {MAX_SEGMENT_CHARACTERS}", field)
    return check_seen(segment, Code.BAD_PATH, field)


def check_path(segments: list[str] | tuple[str, ...], field: str) -> Path:
    """Return the path as a tuple, or raise `bad_path` naming the field and the segment's index."""
    if len(segments) > MAX_PATH_SEGMENTS:
        raise Refusal(Code.BAD_PATH, f"a path has {len(segments)} segments, at most {MAX_PATH_SEGMENTS}", field)
    return tuple(check_segment(segment, f"{field}[{index}]") for index, segment in enumerate(segments))


def format_path(path: Path | list[str]) -> str:
    """Write a path as one string: `("a", "b/c")` is `a/b~1c`. The root is the empty string."""
    text = "/".join(path)
    if "~" not in text and text.count("/") < len(path):
        return text
    return "/".join([_escaped(segment) if "/" in segment or "~" in segment else segment for segment in path])


def format_path_below(above: Path, above_text: str, name: str) -> str:
    """Write the path of something whose parent's path has been written before: it is half of the work."""
    text = _escaped(name) if "/" in name or "~" in name else name
    return f"{above_text}/{text}" if above else text


def _escaped(segment: str) -> str:
    return segment.replace("~", "~0").replace("/", "~1")


def parse_path(text: str, field: str = "path") -> Path:
    """Read the one-string form. A leading and a trailing `/` are allowed; the empty string is the root."""
    stripped = text.removeprefix("/").removesuffix("/")
    if not stripped:
        return ()
    segments = [part.replace("~1", "/").replace("~0", "~") for part in stripped.split("/")]
    return check_path(segments, field)


def split_path(text: str) -> Path:
    """Read what `format_path` has written, whatever its length."""
    if "~" not in text:
        return tuple(text.split("/")) if text else ()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/"))


def is_token(text: str) -> bool:
    """Tell whether the text may be a user's or app's id: `[a-z0-9_-]{1,64}`, safe as one subject token."""
    return _TOKEN.fullmatch(text) is not None


def check_token(text: str, field: str) -> str:
    """Return the id, or raise `bad_field`."""
    if not is_token(text):
        raise Refusal(
            Code.BAD_FIELD, f"{text[:80]!r} cannot be an id", field, "use 1 to 64 characters of a-z, 0-9, _ and -"
        )
    return text
