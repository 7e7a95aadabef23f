"""The id that a sender chooses for its command, to be known again when it is sent again."""

import re
from typing import Final

from schemas.errors import Code, Refusal
from schemas.limits import MAX_ID_CHARACTERS

_ID: Final = re.compile(rf"[!-~]{{1,{MAX_ID_CHARACTERS}}}")


def is_id(text: str) -> bool:
    """Tell whether the text may be a command's id."""
    return _ID.fullmatch(text) is not None


def check_id(text: str, field: str = "id") -> str:
    """Give the text, or raise `bad_field`: it cannot be a command's id."""
    if _ID.fullmatch(text) is None:
        message = f"an id is 1 to {MAX_ID_CHARACTERS} printable ASCII characters without spaces"
        raise Refusal(Code.BAD_FIELD, message, field)
    return text
