"""A plain client of the bus: nats-py and JSON, as an app in any language would have it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats
import nats.errors
import nats.js.errors
import pytest

from tests.waiting import DEADLINE_S

ANSWER_S = 5.0
"""Seconds to wait for one answer before asking again: what is sent again is found by its id."""

LOST = (nats.errors.Error, TimeoutError, OSError)
"""What a client sees when it cannot know what became of its message."""

PAUSE_S = 0.05


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def tell(command_id: str, context: list[str], component: str, value: Any, **evidence: Any) -> dict[str, Any]:
    """Make the JSON of a tell."""
    told = {"value": value, **evidence}
    return {"verb": "tell", "id": command_id, "context": context, "component": component, "evidence": told}


class PlainBus:
    """One connection, which comes back by itself."""

    def __init__(self, nc: Any) -> None:
        self.nc = nc
        self.js = nc.jetstream(timeout=ANSWER_S)

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator["PlainBus"]:
        async def ignore(_: Exception) -> None:
            """Losses are expected here."""

        nc = await nats.connect(
            url, max_reconnect_attempts=-1, reconnect_time_wait=0.1, error_cb=ignore, connect_timeout=10
        )
        try:
            yield cls(nc)
        finally:
            await nc.close()

    async def store(self, user: str, app: str, message: dict[str, Any]) -> int:
        """Send a command until the bus acknowledges it, and give its sequence."""
        subject, data = f"llum.cmd.{user}.{app}.{message['verb']}", encode(message)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                return int((await self.js.publish(subject, data, timeout=ANSWER_S)).seq)
            except LOST as error:
                if time.monotonic() > deadline:
                    pytest.fail(f"{subject} was not acknowledged in {DEADLINE_S:g} s: {error!r}")
                await asyncio.sleep(PAUSE_S)

    async def outcome(self, subject: str, data: bytes, *, core: bool = False) -> dict[str, Any]:
        """Send any bytes until their outcome comes, through JetStream or as a plain publish, and give it."""
        inbox = self.nc.new_inbox()
        subscription = await self.nc.subscribe(inbox)
        headers = {"Llum-Reply-To": inbox}
        deadline = time.monotonic() + DEADLINE_S
        try:
            while time.monotonic() < deadline:
                try:
                    if core:
                        await self.nc.publish(subject, data, headers=headers)
                    else:
                        await self.js.publish(subject, data, headers=headers, timeout=ANSWER_S)
                    return json.loads((await subscription.next_msg(timeout=ANSWER_S)).data)  # type: ignore[no-any-return]
                except LOST:
                    await asyncio.sleep(PAUSE_S)
        finally:
            await subscription.unsubscribe()
        pytest.fail(f"no outcome of {subject} in {DEADLINE_S:g} s")

    async def send(self, user: str, app: str, message: dict[str, Any]) -> dict[str, Any]:
        """Send a command and give its outcome."""
        return await self.outcome(f"llum.cmd.{user}.{app}.{message['verb']}", encode(message))

    async def accept(self, user: str, app: str, message: dict[str, Any]) -> dict[str, Any]:
        """Send a command that must be accepted."""
        outcome = await self.send(user, app, message)
        assert outcome["outcome"] == "accepted", outcome
        return outcome

    async def ask(self, user: str, app: str, query: dict[str, Any]) -> dict[str, Any]:
        """Ask until somebody answers, and give the reply; one who wants to be asked again counts as nobody."""
        subject, data = f"llum.ask.{user}.{app}.{query['verb']}", encode(query)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            reply = await self.request(subject, data)
            if reply is not None and reply.get("error", {}).get("code") not in ("not_yet", "unavailable"):
                return reply
            if time.monotonic() > deadline:
                pytest.fail(f"{subject} was not answered in {DEADLINE_S:g} s, last by {reply}")
            await asyncio.sleep(PAUSE_S)

    async def request(self, subject: str, data: bytes) -> dict[str, Any] | None:
        """Make one request; None if it is not answered."""
        try:
            message = await self.nc.request(subject, data, timeout=8.0)
        except LOST:
            return None
        return json.loads(message.data)  # type: ignore[no-any-return]

    async def evidence(self, user: str, app: str, path: list[str], min_seq: int | None = None) -> list[dict[str, Any]]:
        """Give all the evidence of a component, page by page."""
        query = {"verb": "ask", "context": path[:-1], "view": [path[-1]], "include_evidence": True}
        if min_seq is not None:
            query["min_seq"] = min_seq
        reply = await self.ask(user, app, query)
        answer = _only(reply)
        found = list(answer.get("evidence", []))
        while answer.get("evidence_more"):
            last = found[-1]
            page = query | {"evidence_after": [last["seq"], last.get("n", 0)], "as_of_seq": reply["seq"]}
            answer = _only(await self.ask(user, app, page))
            found += answer["evidence"]
        return found

    async def log_streams(self) -> list[str]:
        """Name the streams that the log is spread over. A person's commands are all in one of them."""
        names = [info.config.name or "" for info in await self.js.streams_info()]
        return sorted(name for name in names if name.startswith("LLUM_LOG_"))

    async def log(self) -> list[tuple[int, str, bytes]]:
        """Read the whole log, stream by stream: sequence, subject and data of every message."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                return [message for stream in await self.log_streams() for message in await self._read(stream)]
            except LOST:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)

    async def _read(self, stream: str) -> list[tuple[int, str, bytes]]:
        state = (await self.js.stream_info(stream)).state
        found: list[tuple[int, str, bytes]] = []
        if not state.messages:
            return found
        last = (await self.js.get_last_msg(stream, "llum.log.>")).seq or 0
        subscription = await self.js.subscribe("llum.log.>", stream=stream, ordered_consumer=True)
        while not found or found[-1][0] < last:
            message = await subscription.next_msg(timeout=30)
            found.append((message.metadata.sequence.stream, message.subject, message.data))
        await subscription.unsubscribe()
        return found

    async def subjects_of_log(self, pattern: str) -> dict[str, int]:
        """Give the log's subjects that match, with the number of messages of each."""
        found: dict[str, int] = {}
        for stream in await self.log_streams():
            found |= (await self.js.stream_info(stream, subjects_filter=pattern)).state.subjects or {}
        return found

    async def rejection(self, user: str, app: str, seq: int) -> dict[str, Any]:
        """Wait for the rejection of the command with this sequence, and give it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            try:
                stored = await self.js.get_last_msg("LLUM_REJECTED", f"llum.rejected.{user}.{app}")
            except nats.js.errors.NotFoundError:
                stored = None
            if stored is not None and (rejection := json.loads(stored.data))["seq"] == seq:
                return rejection  # type: ignore[no-any-return]
            await asyncio.sleep(PAUSE_S)
        pytest.fail(f"command {seq} of {user} and {app} is not among the rejected ones")


def _only(reply: dict[str, Any]) -> dict[str, Any]:
    assert reply["reply"] == "ask", reply
    assert not reply.get("failures"), reply
    (answer,) = reply["components"]
    return answer  # type: ignore[no-any-return]


def first_tells(log: list[tuple[int, str, bytes]], user: str, app: str) -> list[tuple[int, Any, str]]:
    """Fold the log: sequence, value and id of each tell of a user and app, repeats left out."""
    found: dict[str, tuple[int, Any, str]] = {}
    for seq, subject, data in log:
        if subject.split(".")[3:] == [user, app, "tell"]:
            command = json.loads(data)
            found.setdefault(command["id"], (seq, command["evidence"]["value"], command["id"]))
    return list(found.values())
