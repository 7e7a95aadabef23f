"""Pictures of clients: PNG, JPEG or WebP, told by their first bytes, never by what an upload says of itself.

SVG is none of them: it may hold scripts and addresses of others.
"""

from typing import Final

from schemas.errors import Code, Refusal

MAX_ICON_BYTES: Final = 64 * 1024
"""Bytes of an icon: it is shown 64 pixels wide at most, on pages that many load."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"


def icon_type(data: bytes) -> str | None:
    """Name the media type of a picture; None: it is none that an icon may be."""
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def check_icon(data: bytes) -> bytes:
    """Return a picture that may be an icon, or raise `bad_field`, `too_large`."""
    if len(data) > MAX_ICON_BYTES:
        message = f"the icon has {len(data)} bytes, at most {MAX_ICON_BYTES}"
        raise Refusal(Code.TOO_LARGE, message, "icon", "make it smaller: 128 by 128 pixels are enough")
    if icon_type(data) is None:
        raise Refusal(Code.BAD_FIELD, "the icon is neither PNG nor JPEG nor WebP", "icon", "save it as a PNG")
    return data
