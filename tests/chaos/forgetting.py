"""Somebody is forgotten while a worker that holds them is stopped: when it goes on it has no byte of them."""

import asyncio
import json
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bus.connection import Bus
from bus.requests import Requests
from bus.subjects import partition_of
from bus.workers import from_bits, read_words
from schemas.apps import ADMIN_APP
from schemas.commands import MakeModel, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import Accepted
from tests.chaos.report import Findings
from tests.chaos.stage import PARTITIONS, WORKERS, Stage
from tests.system.harness import until
from tests.waiting import PAUSE_S, eventually

WORDS = 20
ASK_WITHIN_S = 2.0
COMMAND_WITHIN_S = 120.0

LYING = 20
LYING_WITHIN_S = 0.2
"""So many asks lie in the sockets of a worker that nothing reaches, or some of them; nobody waits for them long."""


class Forgotten:
    """A person of whom every word is a mark that stands nowhere else."""

    def __init__(self, mark: str, stage: Stage, bus: Bus, requests: Requests, findings: Findings) -> None:
        self.user = f"gone-{mark}"
        self._mark = mark
        self._stage = stage
        self._bus = bus
        self._requests = requests
        self._findings = findings

    async def live(self) -> None:
        """Be told some words."""
        component = ComponentDefinition(name="word", value_type="string")
        definition = ModelDefinition(contexts=[ContextDefinition(path=["c"], components=[component])])
        await self._send(ADMIN_APP, MakeModel(id="made", definition=definition))
        for number in range(WORDS):
            evidence = NewEvidence(value=f"{self._mark} {number}")
            await self._send("llum", Tell(id=f"w-{number}", context=["c"], component="word", evidence=evidence))

    async def _send(self, app: str, command: Any) -> None:
        while True:
            try:
                outcome = await self._requests.send(self.user, app, command, COMMAND_WITHIN_S)
            except Transient:
                continue
            assert isinstance(outcome, Accepted), outcome
            return

    async def holder(self) -> str:
        """Name a worker that answers for the person."""
        number, ids = partition_of(self.user, PARTITIONS), {_id_of(self._stage, name): name for name in WORKERS}

        async def look() -> str | None:
            words = await read_words(self._bus)
            return next((ids[word.id] for word in words if word.id in ids and number in from_bits(word.ready)), None)

        return str(await eventually(look, f"a worker answers for {self.user}"))

    async def be_forgotten_while_stopped(self, name: str, away_s: float) -> None:
        """Stop a worker, forget the person meanwhile, have it go on, and see that nothing of them comes back."""
        process = self._stage.processes[name]
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.gather(asyncio.to_thread(self._forget), asyncio.sleep(away_s))
        finally:
            process.send_signal(signal.SIGCONT)
        await self._see_that_nothing_is_left()

    async def be_forgotten_while_unplugged(self, name: str, away_s: float) -> None:
        """The same with a worker that goes on, whose host nothing reaches: what it is asked lies in sockets."""
        self._stage.hosts.unplug(name)
        try:
            await asyncio.gather(self._forget_and_ask(), asyncio.sleep(away_s))
        finally:
            self._stage.hosts.plug(name)
        await self._see_that_nothing_is_left()

    async def _forget_and_ask(self) -> None:
        await asyncio.to_thread(self._forget)
        query = Ask(context=["c"], view=["word"])
        for _ in range(LYING):
            with suppress(Transient, Refusal):
                reply = await self._requests.ask(self.user, "llum", query, LYING_WITHIN_S)
                self._findings.remembered.append(f"{self.user} was answered with {msgspec.json.encode(reply)!r}")

    async def _see_that_nothing_is_left(self) -> None:
        asking = asyncio.create_task(self._ask_again_and_again())
        try:
            await eventually(self._nothing_is_left, f"no worker has a byte of {self.user}")
        finally:
            asking.cancel()

    def _forget(self) -> None:
        """Do what an operator does who is told that nobody answered in time: enter the command once more."""
        until(self._is_forgotten, f"{self.user} is forgotten")

    def _is_forgotten(self) -> bool:
        # Whom nobody knows any more has exit code 1, too.
        ran = self._stage.cli("admin", "person", "forget", self.user, "--yes", check=False)
        return ran.returncode == 0 or "there was no model" in ran.stderr + ran.stdout

    async def _nothing_is_left(self) -> bool:
        return not await asyncio.to_thread(self.left)

    def left(self, names: Iterable[str] = WORKERS) -> list[str]:
        """Name files of processes that hold the mark."""
        return [found for name in names for found in _holding(self._stage.folder / name, self._mark.encode())]

    async def _ask_again_and_again(self) -> None:
        """Ask whoever answers, also before anything has been noticed."""
        while True:
            try:
                reply = await self._requests.ask(self.user, "llum", Ask(context=["c"], view=["word"]), ASK_WITHIN_S)
            except Transient:
                continue
            except Refusal as refusal:
                if refusal.code is not Code.NO_SUCH_MODEL:
                    raise
            else:
                self._findings.remembered.append(f"{self.user} was answered with {msgspec.json.encode(reply)!r}")
            await asyncio.sleep(PAUSE_S)


def _id_of(stage: Stage, name: str) -> str:
    file = stage.folder / name / "shards" / "worker.json"
    return str(json.loads(file.read_bytes())["id"])


def _holding(folder: Path, mark: bytes) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        try:
            if path.is_file() and mark in path.read_bytes():
                found.append(str(path))
        except FileNotFoundError:
            continue
    return found
