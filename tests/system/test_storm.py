"""Everything at once, while every process of llum is killed again and again: nothing is lost, twice or out of order.

People tell, correct, withdraw, make and delete structure, and have rules that tell; each command is sent again under
its id until its outcome comes. Meanwhile worker, edge, nats-server and `llum up` itself are killed. At the end each
model is what a plain list of the accepted commands says; sent again, a command gets its first outcome; and models that
are rebuilt from the log alone give the same answers.
"""

import asyncio
import contextlib
import random
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.effort import EFFORT, seed
from tests.system.harness import CHILDREN, Llum, until
from tests.system.plain_bus import PlainBus, tell
from tests.system.plain_http import PlainHttp, tell_body
from tests.waiting import eventually

PEOPLE = ("ann", "ben", "cleo", "dan")

KILLS = 8 if EFFORT == 1 else 24
"""Kills of one storm. `make test-long` has five storms: 120 kills."""

RULE = "<default!./Log/noted> ~ '^copy' : TELL ./Log/copied, inferred:<default!./Log/noted>"

DEFINITION = {
    "contexts": [
        {
            "path": ["Log"],
            "components": [
                {"name": "noted", "value_type": "string", "rules": [RULE]},
                {"name": "copied", "value_type": "string"},
                {"name": "judged", "value_type": "number"},
                {"name": "posted", "value_type": "string"},
            ],
        }
    ]
}


class Steady(Llum):
    """An llum that comes back at the same addresses."""

    @property
    def environment(self) -> dict[str, str]:
        ports = {"LLUM_HTTP_PORT": _port(self.http), "LLUM_NATS_PORT": _port(self.nats)}
        return super().environment | (ports if self.http else {})


def _port(url: str) -> str:
    return url.rpartition(":")[2]


class Person:
    """One person's history: random commands one after the other, and what has become of them."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self.chance = chance
        self.sent: list[tuple[dict[str, Any], dict[str, Any]]] = []
        """Commands with their outcomes, in order."""
        self.noted: list[tuple[int, str]] = []
        self.judged: dict[int, tuple[bool, float]] = {}
        """By sequence: whether it is a correction, and the value. What is withdrawn is gone."""
        self.made: list[str] = []

    async def live(self, bus: PlainBus, over: threading.Event) -> None:
        while not over.is_set():
            await self._do(bus, *self.chance.choice([self._note, self._note, self._judge, self._judge, self._change])())

    async def _do(self, bus: PlainBus, command: dict[str, Any], accepted: Any) -> None:
        outcome = await bus.send(self.name, "llum", command)
        assert outcome["outcome"] == "accepted", (command, outcome)
        self.sent.append((command, outcome))
        accepted(outcome["seq"])

    @property
    def _id(self) -> str:
        return f"{self.name}-{len(self.sent)}"

    def _note(self) -> tuple[dict[str, Any], Any]:
        value = f"{self.chance.choice(['copy', 'keep'])} {len(self.sent)}"
        return tell(self._id, ["Log"], "noted", value), lambda seq: self.noted.append((seq, value))

    def _judge(self) -> tuple[dict[str, Any], Any]:
        value = float(len(self.sent))
        place = {"context": ["Log"], "component": "judged"}
        kind = self.chance.choice(["tell", "tell", "correct", "withdraw"])
        if kind == "withdraw" and self.judged:
            seq = self.chance.choice(list(self.judged))
            command = {"verb": "withdraw", "id": self._id, **place, "seq": seq, "n": 0}
            return command, lambda _: self.judged.pop(seq)
        if kind == "correct":
            command = {"verb": "correct", "id": self._id, **place, "value": value}
            return command, lambda seq: self.judged.update({seq: (True, value)})
        return tell(self._id, ["Log"], "judged", value), lambda seq: self.judged.update({seq: (False, value)})

    def _change(self) -> tuple[dict[str, Any], Any]:
        if self.made and self.chance.random() < 0.5:
            name = self.chance.choice(self.made)
            command = {"verb": "delete_component", "id": self._id, "context": ["Log"], "component": name}
            return command, lambda _: self.made.remove(name)
        name = f"made-{len(self.sent)}"
        command = {"verb": "make_component", "id": self._id, "context": ["Log"], "component": {"name": name}}
        return command, lambda _: self.made.append(name)

    async def check(self, bus: PlainBus) -> None:
        """Compare the model with the plain list of what was accepted."""
        seqs = [outcome["seq"] for _, outcome in self.sent]
        assert seqs == sorted(set(seqs)), "what is sent later has a higher sequence"
        noted = await bus.evidence(self.name, "llum", ["Log", "noted"], min_seq=seqs[-1])
        assert [(piece["seq"], piece["value"]) for piece in noted] == self.noted
        await self._check_judged(bus)
        reply = await bus.ask(self.name, "llum", {"verb": "get_context", "context": ["Log"]})
        assert reply["components"] == ["noted", "copied", "judged", "posted", *self.made]
        await self._check_copied(bus)

    async def _check_judged(self, bus: PlainBus) -> None:
        pieces = await bus.evidence(self.name, "llum", ["Log", "judged"])
        assert [piece["seq"] for piece in pieces if not piece.get("withdrawn")] == sorted(self.judged)
        reply = await bus.ask(self.name, "llum", {"verb": "ask", "context": ["Log"], "view": ["judged"]})
        corrections = [seq for seq, (is_correction, _) in self.judged.items() if is_correction]
        counts = max(corrections or self.judged, default=None)
        assert reply["components"][0].get("value") == (None if counts is None else self.judged[counts][1])

    async def _check_copied(self, bus: PlainBus) -> None:
        """The rule has told each of them once, sooner or later, and nothing else."""
        wanted = [value for _, value in self.noted if value.startswith("copy")]
        copied: list[str] = []

        async def all_are_there() -> bool:
            copied[:] = [piece["value"] for piece in await bus.evidence(self.name, "llum", ["Log", "copied"])]
            return len(copied) >= len(wanted)

        await eventually(all_are_there, "all that the rule has to tell")
        assert copied == wanted

    async def repeat(self, bus: PlainBus) -> None:
        """Send some commands again: they get their first outcomes, and change nothing."""
        for command, outcome in self.chance.sample(self.sent, min(10, len(self.sent))):
            again = await bus.send(self.name, "llum", command)
            assert again == outcome | {"repeated": True}


class Poster:
    """Tells over HTTP, one after the other, in a thread of its own."""

    def __init__(self, url: str, token: str) -> None:
        self._http = PlainHttp(url, token)
        self.posted: list[str] = []

    def post(self, over: threading.Event) -> None:
        while not over.is_set():
            value = f"posted {len(self.posted)}"
            status, answer = self._http.call_until_known(
                "tell", tell_body(["Log"], "posted", value), value.replace(" ", "-")
            )
            assert (status, answer["result"]) == (200, "ok"), answer
            self.posted.append(value)
        self._http.close()


class Killer:
    """kill -9 of one process after the other, each as soon as all has been served again for a few commands."""

    def __init__(self, llum: Llum, chance: random.Random) -> None:
        names = [*CHILDREN, "llum up"]
        self._llum = llum
        self._chance = chance
        self.victims = [names[number % len(names)] for number in range(KILLS)]
        chance.shuffle(self.victims)
        print("kill -9:", ", ".join(self.victims))

    def kill_all(self, progress: Any) -> None:
        for victim in self.victims:
            goal = progress() + self._chance.randrange(1, 40)
            until(lambda goal=goal: progress() >= goal, f"{goal} commands")
            if victim == "llum up":
                self._kill_supervisor()
                continue
            pid = self._llum.kill(victim)
            until(lambda victim=victim, pid=pid: self._llum.pid(victim) != pid, f"{victim} is started again")
            until(lambda victim=victim: self._llum.has_served(victim), f"{victim} serves again")

    def _kill_supervisor(self) -> None:
        """Its children end by themselves, whatever they are doing; then it is started again."""
        self._llum.lose_supervisor()
        self._llum.start()


@contextlib.contextmanager
def carried_out(work: Any, over: threading.Event) -> Iterator[None]:
    """Do some work in a thread; `over` is set when it has ended. Its failure is the test's."""
    failures: list[BaseException] = []

    def carry_out() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)
        finally:
            over.set()

    thread = threading.Thread(target=carry_out)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failures, failures


@pytest.fixture
async def steady(tmp_path: Path) -> AsyncIterator[Steady]:
    llum = Steady(tmp_path)
    try:
        await asyncio.to_thread(llum.start)
        yield llum
    finally:
        llum.clean_up()


async def answers(bus: PlainBus, user: str) -> list[dict[str, Any]]:
    """Give the whole model, page by page."""
    pages = [await bus.ask(user, "llum", {"verb": "export"})]
    while (after := pages[-1].get("next")) is not None:
        pages.append(await bus.ask(user, "llum", {"verb": "export", "after": after}))
    return pages


@pytest.mark.storm
async def test_everything_at_once_loses_doubles_and_disorders_nothing(steady: Steady) -> None:
    """Whatever is killed, and whenever."""
    chance = random.Random(seed())
    people = [Person(name, random.Random(chance.random())) for name in PEOPLE]
    async with PlainBus.connect(steady.nats) as bus:
        for one in people:
            await bus.accept(one.name, "_admin", {"verb": "make_model", "id": "make", "definition": DEFINITION})
        token = await asyncio.to_thread(steady.run, "admin", "token", "ann", "--app", "poster", "--owner")
        poster = Poster(steady.http, token)
        killer = Killer(steady, chance)
        over = threading.Event()
        kill = lambda: killer.kill_all(lambda: sum(len(one.sent) for one in people))  # noqa: E731
        with carried_out(kill, over):
            await asyncio.gather(asyncio.to_thread(poster.post, over), *(one.live(bus, over) for one in people))
        for one in people:
            await one.check(bus)
            await one.repeat(bus)
        posted = await bus.evidence("ann", "llum", ["Log", "posted"])
        assert [piece["value"] for piece in posted] == poster.posted
        live = {name: await answers(bus, name) for name in PEOPLE}
    await asyncio.to_thread(steady.stop)
    shutil.rmtree(steady.data_dir / "shards")
    await asyncio.to_thread(steady.start)
    async with PlainBus.connect(steady.nats) as bus:
        for name in PEOPLE:
            assert await answers(bus, name) == live[name], f"{name} is rebuilt from the log alone"
