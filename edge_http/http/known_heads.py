"""The heads of requests that a connection has sent lately: a program sends the same one again and again.

Parsing a head and finding out what it asks for costs as much as all that is done with a small body. So a head that was
parsed, and whose request was begun quickly, is known by its bytes from then on: what it says need not be read again.
The bodies may differ in size. Whether its token still holds is looked at each time.

A program that looks for news sends the same body, too. So what was read of the last one is kept with its head.

That works only where a request begins. What has been parsed may end in the middle of the next head, so heads are looked
for as long as each piece that came was exactly one request, and never again after one that was not.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

MAX_HEADS: Final = 4
"""Heads remembered of one connection, about 2 kB each: of a tell and an ask, say."""

MAX_HEAD_BYTES: Final = 2048
"""Bytes of a head that is remembered, several times what programs send: thousands of connections may each have some."""

MAX_BODY_BYTES: Final = 1024
"""Bytes of a body of which it is kept what was read, several times what an ask has."""

T = TypeVar("T")

_Key = tuple[bytes, bytes | int]

_HEAD_END: Final = b"\r\n\r\n"


class KnownHead:
    """What a head says, and what was read of the body that has come with it last."""

    __slots__ = ("_body", "_read", "message")

    def __init__(self, message: RawRequestMessage) -> None:
        self.message = message
        self._body: bytes | None = None
        self._read: Any = None

    def read(self, body: bytes, read: Callable[[bytes], T]) -> T:
        """Read a body, always by the same function. Raises as that."""
        if body == self._body:
            return self._read  # type: ignore[no-any-return]
        made = read(body)
        if len(body) <= MAX_BODY_BYTES:
            self._body, self._read = body, made
        return made


class KnownHeads:
    """Those of one connection."""

    __slots__ = ("_heads", "_last", "is_between")

    def __init__(self) -> None:
        self.is_between = True
        """Whether what comes next is certainly the beginning of a request."""
        self._heads: dict[_Key, KnownHead] = {}
        self._last: tuple[bytes, int, KnownHead] | None = None
        """The head that was found last, and how long it is with its body: most often the next request is like it."""

    def find(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """Give head and body of what has come, if it is exactly one request whose head is known.

        Only the size of the body may be another one than the head says.
        """
        if not self.is_between:
            return None
        if self._last is not None:
            head, size, known = self._last
            if len(data) == size and data.startswith(head):
                return known, data[len(head) :]
        end = _end_of_head(data)
        found = self._heads.get(_key_of(data, end))
        if found is None:
            return None
        self._last = data[:end], len(data), found
        return found, data[end:]

    def note(self, data: bytes, parsed: Sequence[tuple[object, StreamReader]]) -> None:
        """Note what was parsed of a piece, and whether that was exactly one request."""
        self.is_between = self.is_between and len(parsed) == 1 and _is_one(data, *parsed[0])

    def remember(self, data: bytes, head: KnownHead) -> None:
        """Know a head from now on, if that can be used."""
        end = _end_of_head(data)
        if not self.is_between or end > MAX_HEAD_BYTES:
            return
        if len(self._heads) == MAX_HEADS:
            self._heads.clear()
        self._heads[_key_of(data, end)] = head


def _end_of_head(data: bytes) -> int:
    return data.find(_HEAD_END) + len(_HEAD_END)


def _key_of(data: bytes, end: int) -> _Key:
    """Give what is before and what is behind the line that says this size of the body; else head and size.

    A head that says another size, or none, has no such line, and so it has no key of one that has.
    """
    size = len(data) - end
    line = b"\r\nContent-Length: %d\r\n" % size
    at = data.find(line, 0, end)
    return (data[:end], size) if at < 0 else (data[:at], data[at + len(line) : end])


def _is_one(data: bytes, message: object, payload: StreamReader) -> bool:
    """Tell whether a piece is one request, from its first byte to its last."""
    end = _end_of_head(data)
    return (
        isinstance(message, RawRequestMessage)
        and not (message.chunked or message.compression or message.upgrade)
        # It is the end of the head for whoever has parsed it, too: as many lines were read.
        and data.count(b"\r\n", 0, end) == len(message.raw_headers) + 2
        and payload.is_eof()
        and payload.total_bytes == len(data) - end
    )
