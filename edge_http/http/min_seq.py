"""`Llum-Min-Seq`: a request says up to where its sender knows the log, and its answer is not older than that.

Each edge remembers what was written through it. Who has written through another one, or before this one was started
again, passes on the sequence that the answer to that named.
"""

from collections.abc import Mapping
from typing import Final

from multidict import istr

from schemas.errors import Code, Refusal

_NAME: Final = "Llum-Min-Seq"
MIN_SEQ: Final = istr(_NAME)
SEQ: Final = istr("Llum-Seq")
"""The header of an answer that names the sequence of what was written."""

_MAX_DIGITS: Final = 18


def min_seq_of(headers: Mapping[str, str], written_seq: int | None) -> int | None:
    """Give the later one of what a request names and what is known to be written. Raises `bad_field`."""
    named = headers.get(MIN_SEQ)
    if named is None:
        return written_seq
    if not (named.isascii() and named.isdigit() and len(named) <= _MAX_DIGITS):
        hint = f"send the number that an answer gave as `seq`, `settled_seq` or {SEQ}"
        raise Refusal(Code.BAD_FIELD, "that is no sequence of the log", _NAME, hint)
    return max(int(named), written_seq or 0)
