"""Requests to JetStream's API, and publishing that waits for the PubAck."""

import asyncio
import base64
from typing import Any, Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.hedging import EARLY_S
from bus.inbox import RawAnswer, header
from bus.subjects import api_subject
from schemas.errors import Code, Transient

API_TIMEOUT_S: Final = 5.0
"""Seconds that an answer of JetStream may take: on a busy disk it syncs before it answers."""

NOT_READY_PAUSE_S: Final = 0.05
"""Seconds before asking again while JetStream is starting."""

NO_MESSAGE: Final = 10037
NO_MESSAGE_TO_DELETE: Final = (10057, 10043)
TOO_MANY_OF_SUBJECT: Final = 10077
WRONG_LAST_SEQUENCE: Final = 10071
STREAM_DIFFERS: Final = 10058
STREAM_NOT_FOUND: Final = 10059
"""JetStream's error codes that llum tells apart."""

_NOT_READY: Final = frozenset({10008, 10009})

_decode = msgspec.json.Decoder().decode


class ApiError(Transient):
    """JetStream refused, with its own `err_code` and description."""

    def __init__(self, err_code: int, description: str) -> None:
        super().__init__(Code.UNAVAILABLE, f"JetStream refused: {description} ({err_code})")
        self.err_code = err_code
        self.description = description


class Stored(NamedTuple):
    """A message as it lies in a stream."""

    seq: int
    subject: str
    headers: bytes
    data: bytes


class StreamSize(NamedTuple):
    """How large a stream is."""

    name: str
    messages: int
    bytes: int
    """With what JetStream keeps beside each message."""


class _Attempt(NamedTuple):
    """What is being read from one replica."""

    token: bytes
    inbox: str
    messages: list[Stored]
    """What has come so far."""


class JetStream:
    """JetStream over one connection. Costs nothing to make."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._inbox = bus.inbox

    @property
    def in_cluster(self) -> bool:
        """Whether any of several replicas may answer a read."""
        return self._bus.in_cluster

    async def call(self, name: str, body: Any = None, timeout_s: float = API_TIMEOUT_S) -> dict[str, Any]:
        """Call `$JS.API.<name>`. Raises `ApiError`, or `Transient` when JetStream is not there in time."""
        data = b"" if body is None else msgspec.json.encode(body)
        return _checked(await self._ready_request(api_subject(name), data, timeout_s))

    async def publish(
        self, subject: str, data: bytes, headers: dict[str, str] | None = None, timeout_s: float = API_TIMEOUT_S
    ) -> int:
        """Store a message and give its sequence. Raises `ApiError`, or `Transient` when it may not have been stored."""
        ack = _checked(await self._ready_request(subject, data, timeout_s, headers))
        return int(ack["seq"])

    async def direct_last(self, stream: str, subject: str) -> Stored | None:
        """Read the last message of a subject, which may hold wildcards.

        In a cluster any replica answers, so it may be a moment old. Where one says nothing another one is asked.
        """
        call, data = f"DIRECT.GET.{stream}.{subject}", b""
        if "*" in subject:
            call, data = f"DIRECT.GET.{stream}", msgspec.json.encode({"last_by_subj": subject})
        answer = await self._ready_request(api_subject(call), data, API_TIMEOUT_S, again_s=self._again_s)
        if answer.headers.startswith(b"NATS/1.0 404"):
            return None
        return _stored(answer)

    async def last(self, stream: str, subject: str) -> Stored | None:
        """Read the last message of a subject, which may hold wildcards, from the stream's leader."""
        try:
            found = (await self.call(f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject}))["message"]
        except ApiError as error:
            if error.err_code == NO_MESSAGE:
                return None
            raise
        headers, data = (base64.b64decode(found.get(part, "")) for part in ("hdrs", "data"))
        return Stored(found["seq"], found["subject"], headers, data)

    async def next_seq(self, stream: str, subject: str, seq: int) -> int | None:
        """Give the sequence of the first message of a subject from `seq` on, as the stream's leader has it."""
        try:
            body = {"seq": max(1, seq), "next_by_subj": subject}
            return int((await self.call(f"STREAM.MSG.GET.{stream}", body))["message"]["seq"])
        except ApiError as error:
            if error.err_code == NO_MESSAGE:
                return None
            raise

    async def subjects(self, stream: str, subject: str) -> set[str]:
        """List the subjects that have messages and match one that may hold wildcards."""
        found: set[str] = set()
        while True:
            body = {"subjects_filter": subject, "offset": len(found)}
            info = await self.call(f"STREAM.INFO.{stream}", body)
            page = info["state"].get("subjects") or {}
            found.update(page)
            if not page or len(found) >= info.get("total", 0):
                return found

    async def listed(self, stream: str, subject: str) -> frozenset[str]:
        """List subjects as `subjects` does, once for all who want the same at the same time."""

        async def listed() -> frozenset[str]:
            return frozenset(await self.subjects(stream, subject))

        return await self._bus.joined.read(("subjects", stream, subject), listed)

    async def count(self, stream: str, subject: str) -> int:
        """Count the messages of a subject, which may hold wildcards. Raises `ApiError`, `Transient`."""
        count, offset = 0, 0
        while True:
            body = {"subjects_filter": subject, "offset": offset}
            info = await self.call(f"STREAM.INFO.{stream}", body)
            page = info["state"].get("subjects") or {}
            count += sum(map(int, page.values()))
            offset += len(page)
            if not page or offset >= info.get("total", 0):
                return count

    async def streams(self, subject: str) -> list[str]:
        """Name the streams that take messages of a subject, which may hold wildcards."""
        found: list[str] = []
        while True:
            names = await self.call("STREAM.NAMES", {"subject": subject, "offset": len(found)})
            found += names.get("streams") or []
            if not names.get("streams") or len(found) >= names.get("total", 0):
                return found

    async def sizes(self) -> list[StreamSize]:
        """Say how large all streams are, those of buckets and of the object store among them."""
        found: list[StreamSize] = []
        while True:
            answer = await self.call("STREAM.LIST", {"offset": len(found)})
            page = answer.get("streams") or []
            for info in page:
                state = info["state"]
                found.append(StreamSize(info["config"]["name"], int(state["messages"]), int(state["bytes"])))
            if not page or len(found) >= answer.get("total", 0):
                return found

    async def erase(self, stream: str, seq: int) -> bool:
        """Delete a message and overwrite its bytes on the disk; tell whether it was there.

        What is purged instead stays in the stream's files for as long as they hold anything else.
        """
        try:
            await self.call(f"STREAM.MSG.DELETE.{stream}", {"seq": seq})
        except ApiError as error:
            if error.err_code not in NO_MESSAGE_TO_DELETE:
                raise
            return False
        return True

    async def page(self, stream: str, subject: str, seq: int, count: int) -> tuple[list[Stored], bool]:
        """Read up to `count` messages of a subject from `seq` on, and tell whether there are more.

        In a cluster any replica answers, which may not have the newest yet; and where no replica answers, there is
        nothing. Whoever must have all reads until one that is known to be there (`bus.erasing.pages_before`). Raises
        `Transient`.
        """
        messages, end = await self._batch(stream, subject, seq, count)
        return messages, int(header(end, b"Nats-Num-Pending") or 0) > 0

    @property
    def _again_s(self) -> float | None:
        """After how many seconds another replica is asked: one that is lost says nothing."""
        return EARLY_S if self.in_cluster else None

    async def _batch(self, stream: str, subject: str, seq: int, count: int) -> tuple[list[Stored], bytes]:
        """Read messages once, and give them with the status that ends them."""
        body = msgspec.json.encode({"seq": max(1, seq), "next_by_subj": subject, "batch": count})
        attempts: dict[asyncio.Future[bytes], _Attempt] = {}
        again_s = self._again_s
        try:
            async with asyncio.timeout(API_TIMEOUT_S):
                while not (ended := [one for one in attempts if one.done()]):
                    if not any(one.messages for one in attempts.values()):
                        done, attempt = self._expect_batch()
                        attempts[done] = attempt
                        await self._bus.publish(api_subject(f"DIRECT.GET.{stream}"), body, attempt.inbox)
                    await asyncio.wait(attempts, timeout=again_s, return_when=asyncio.FIRST_COMPLETED)
                    again_s = again_s and 2 * again_s
        except TimeoutError as error:
            raise Transient(Code.UNAVAILABLE, f"{stream} did not answer within {API_TIMEOUT_S:g} s") from error
        finally:
            for attempt in attempts.values():
                self._inbox.dismiss(attempt.token)
        messages, end = attempts[ended[0]].messages, ended[0].result()
        if not _is_whole(messages, end):
            raise Transient(Code.UNAVAILABLE, f"a part of what {stream} gave was lost on the way")
        return messages, end

    def _expect_batch(self) -> "tuple[asyncio.Future[bytes], _Attempt]":
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        messages: list[Stored] = []
        token = self._inbox.expect(lambda *answer: _collect(messages, done, RawAnswer(*answer)))
        return done, _Attempt(token, self._inbox.subject(token), messages)

    async def _ready_request(
        self,
        subject: str,
        data: bytes,
        timeout_s: float,
        headers: dict[str, str] | None = None,
        again_s: float | None = None,
    ) -> RawAnswer:
        """Ask, and again while JetStream is still starting."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            left_s = deadline - asyncio.get_running_loop().time()
            answer = await self._inbox.request(subject, data, max(left_s, 0.001), headers, again_s)
            if not (answer.no_responders or _not_ready(answer)):
                return answer
            if left_s < 2 * NOT_READY_PAUSE_S:
                raise Transient(Code.UNAVAILABLE, f"JetStream does not answer on {subject}")
            await asyncio.sleep(NOT_READY_PAUSE_S)


def _not_ready(answer: RawAnswer) -> bool:
    return b'"error"' in answer.data[:200] and _error(_decode(answer.data)).err_code in _NOT_READY


def _checked(answer: RawAnswer) -> dict[str, Any]:
    reply: dict[str, Any] = _decode(answer.data)
    if "error" in reply:
        raise _error(reply)
    return reply


def _error(reply: dict[str, Any]) -> ApiError:
    error = reply.get("error", {})
    return ApiError(error.get("err_code", 0), error.get("description", ""))


def _stored(answer: RawAnswer) -> Stored:
    seq = header(answer.headers, b"Nats-Sequence")
    return Stored(int(seq or 0), header(answer.headers, b"Nats-Subject") or "", answer.headers, answer.data)


def _is_whole(messages: list[Stored], end: bytes) -> bool:
    """Tell whether no message of a batch was lost on the way: each, and the end, says which one came before it."""
    headers = [*(message.headers for message in messages), end]
    before = [0, *(message.seq for message in messages)]
    return before == [int(header(each, b"Nats-Last-Sequence") or 0) for each in headers]


def _collect(messages: list[Stored], done: "asyncio.Future[bytes]", answer: RawAnswer) -> None:
    """Take one answer of a batch: a message, or the status that ends it."""
    if not answer.headers.startswith(b"NATS/1.0 "):
        messages.append(_stored(answer))
    elif not done.done():
        done.set_result(answer.headers)
