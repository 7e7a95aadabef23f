"""The id that a sender chooses for its command, to be known again when it is sent again."""

from schemas.errors import Code, Refusal
from schemas.limits import MAX_ID_CHARACTERS


def is_id(text: str) -> bool:
    """Tell whether the text may be a command's id."""
    return 0 < len(text) <= MAX_ID_CHARACTERS and text.isascii() and text.isprintable() and " " not in text


def check_id(text: str, field: str = "id") -> str:
    """Give the text, or raise `bad_field`: it cannot be a command's id."""
    if not is_id(text):
        message = f"an id is 1 to {MAX_ID_CHARACTERS} printable ASCII characters without spaces"
        raise Refusal(Code.BAD_FIELD, message, field)
    return text
