"""Forgetting a part of a person: afterwards no byte of it is in the data folder, and all else is as it was."""

import json
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.system.harness import Llum
from tests.system.plain_bus import PlainBus, tell
from tests.system.test_forgetting import found

ANNA = "anna-4f1c"
MARK = "ZZMARK"
SECRET = f"{MARK}-component"


@pytest.fixture
async def bus(llum: Llum) -> AsyncIterator[PlainBus]:
    async with PlainBus.connect(llum.nats) as bus:
        yield bus


async def lived(llum: Llum, bus: PlainBus) -> None:
    """A person of whom one component is to go, with all that a rule has made of it."""
    llum.run("admin", "person", "add", ANNA, "--first-name", "Anna")
    llum.run("admin", "app", "add", ANNA, "probe")
    llum.run("admin", "app", "permit", ANNA, "probe", "Personal", "--ask", "--tell")
    definition = {"name": SECRET, "description": f"{MARK}-about"}
    make = {"verb": "make_component", "id": "p", "context": ["Personal"], "component": definition}
    await bus.accept(ANNA, "llum", make)
    source = f"<default!./Personal/{SECRET}>"
    for number, statement in enumerate((
        f"{source} ~ '.*' : TELL './Personal/lastname', explicit:{source}",
        f"{source} ~ '.*' : NOTIFY 'http://127.0.0.1:9/{MARK}-notice?' {source}",
        f'["0 7 * * *"] {source} ~ \'.*\' : NOTIFY \'http://127.0.0.1:9/{MARK}-cron\'',
    )):  # fmt: skip
        rule = {"verb": "make_rule", "id": f"r{number}", "context": ["Personal"], "component": SECRET}
        await bus.accept(ANNA, "llum", {**rule, "statement": statement})
    for number in range(5):
        told = tell(f"secret-{number}", ["Personal"], SECRET, f"{MARK}-{number}", comment=f"{MARK}-comment")
        await bus.accept(ANNA, "llum", told)
        await bus.accept(ANNA, "probe", tell(f"mail-{number}", ["Personal"], "email", f"{number}@example.org"))
        refused = await bus.send(ANNA, "llum", tell(f"bad-{number}", ["Personal"], f"{SECRET}-", 1))
        assert refused["outcome"] == "refused"
        await bus.ask(ANNA, "llum", {"verb": "ask", "context": ["Personal"], "view": [SECRET], "explain": True})


async def the_rest(bus: PlainBus) -> Any:
    query = {"verb": "ask", "context": ["Personal"], "view": ["email", "firstname"], "include_evidence": True}
    reply = await bus.ask(ANNA, "llum", query)
    assert reply["reply"] == "ask", reply
    reply.pop("seq")
    return reply


async def test_nothing_of_a_forgotten_component_is_left_on_the_disk(llum: Llum, bus: PlainBus) -> None:
    """Values, words, names, rules, what they told and sent, refusals, who asked: not while it runs, nor afterwards."""
    await lived(llum, bus)
    assert len(found(llum.data_dir, MARK)) >= 3
    before = await the_rest(bus)

    preview = json.loads(llum.run("forget", ANNA, "--component", f"Personal/{SECRET}", "--preview", "--json"))
    receipt = json.loads(llum.run("forget", ANNA, "--component", f"Personal/{SECRET}", "--yes", "--json"))
    assert receipt["removed"] == preview["size"]
    assert receipt["removed"] | {"derived": 0} == {"components": 1, "evidence": 5, "derived": 0, "rules": 3}
    assert receipt["left"] == {}
    assert receipt["said_anew"] == 1
    assert found(llum.data_dir, MARK) == {}
    assert await the_rest(bus) == before

    again = llum.command("forget", ANNA, "--component", f"Personal/{SECRET}", "--yes")
    assert again.returncode == 1
    assert "there was nothing" in again.stdout
    assert ANNA in llum.run("admin", "person", "list").splitlines()
    llum.run("status")
    llum.run("doctor")
    llum.stop()
    assert found(llum.data_dir, MARK) == {}
    shutil.rmtree(llum.data_dir / "shards")
    llum.start()
    async with PlainBus.connect(llum.nats) as back:
        assert await the_rest(back) == before
    llum.run("doctor")
    assert found(llum.data_dir, MARK) == {}


async def test_forgetting_a_part_says_what_would_go_and_asks(llum: Llum, bus: PlainBus) -> None:
    """Without an answer nothing happens; what names no part, or two, is a mistake of use."""
    await lived(llum, bus)
    before = await the_rest(bus)
    asked = llum.command("forget", ANNA, "--source", "probe")
    assert asked.returncode != 0
    assert "5 pieces of evidence" in asked.stdout
    assert await the_rest(bus) == before
    for wrong in ((), ("--held",), ("--component", "a/b", "--piece", "a/b", "5")):
        assert llum.command("forget", ANNA, *wrong).returncode == 2
    done = llum.run("forget", ANNA, "--source", "probe", "--from", "1 hour ago", "--yes")
    assert "left: nothing" in done
    rest = await the_rest(bus)
    assert [one["path"][-1] for one in rest["components"] if one.get("evidence")] == ["firstname"]
